import { type Answer, call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { metric, startService } from '@largepayload/testing/service/running-service';
import { writeCertificateSecret } from '@largepayload/testing/tls/secret-folder';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { writeClusterFolder } from '@largepayload/testing/tokens/cluster-folder';
import { TokenIssuer } from '@largepayload/testing/tokens/token-issuer';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import { expect, test } from 'vitest';

const { serve, newFolder } = realProgram();

const AUTHORITY = testAuthority();
const CERTIFICATE = AUTHORITY.issue();
/** Of the API server, whose authority is another one. */
const CLUSTER_AUTHORITY = testAuthority('cluster');
const STORE = 'payments/documents';
const MANIFEST = { namespace: 'payments', name: 'documents' };
const POD_TOKEN = 'token-of-the-pod-of-the-gateway';
const CONTENT = 'a payload';

const apiServer = () => {
  const { certificate: cert, key } = CLUSTER_AUTHORITY.issue();
  return TokenIssuer.start({ token: POD_TOKEN, algorithm: 'RS256', tls: { cert, key } });
};

async function serveGateway(
  issuer: TokenIssuer,
  authentication: string,
  spec: object = {},
): Promise<ServingProcess> {
  const folder = await newFolder(crypto.randomUUID());
  const cluster = await writeClusterFolder(`${folder}-kubernetes`, POD_TOKEN, CLUSTER_AUTHORITY.certificate);
  await writeCertificateSecret(`${folder}-tls`, CERTIFICATE);
  return await serve({
    ...MANIFEST,
    role: 'gateway',
    dataFolder: folder,
    // Authorities of issuers outside the cluster are those that Node trusts.
    wrapper: ['env', `NODE_EXTRA_CA_CERTS=${cluster}/ca.crt`],
    args: ['--kubernetes-dir', cluster, '--kubernetes-url', issuer.url, '--tls-dir', `${folder}-tls`],
    spec: { gateway: { authentication }, ...spec },
  });
}

interface Way {
  readonly token?: string;
  /** default: over TLS */
  readonly plain?: boolean;
}

function put(service: ServingProcess, { token, plain }: Way = {}, namespace = 'orders'): Promise<Answer> {
  const { bytes, putPath, putHeaders } = testPayload(CONTENT, namespace);
  const headers = { ...putHeaders, ...(token && { Authorization: `Bearer ${token}` }) };
  const tls = plain === true ? {} : { ca: AUTHORITY.certificate };
  return call(service.data, putPath, { method: 'PUT', headers, body: bytes, ...tls });
}

function get(service: ServingProcess, key: string, { token, plain }: Way = {}): Promise<Answer> {
  const headers = { ...testPayload(CONTENT).getHeaders, ...(token && { Authorization: `Bearer ${token}` }) };
  const tls = plain === true ? {} : { ca: AUTHORITY.certificate };
  return call(service.data, getPath(key), { headers, ...tls });
}

const readyz = async (service: ServingProcess) => {
  const { status, body } = await call(service.metrics, '/readyz');
  return { status, ...JSON.parse(body.toString()).error };
};
const statusOf = async (service: ServingProcess) =>
  JSON.parse((await call(service.metrics, '/status')).body.toString());
const ready = (service: ServingProcess) =>
  eventually('ready', async () => (await readyz(service)).status === 200);
const requests = (namespace: string, result: string) =>
  `payload_store_caller_requests_total{caller_namespace="${namespace}",result="${result}"}`;

test.concurrent('a gateway serves pods that show a token of their service account, and counts them', async () => {
  await using issuer = await apiServer();
  const { certificate: cert, key: tlsKey } = CLUSTER_AUTHORITY.issue();
  await using ci = await TokenIssuer.start({ tls: { cert, key: tlsKey } });
  const requiredClaims = { repository: 'acme/orders' };
  const oidc = [ci.url, 'https://127.0.0.1:9'].map((url) => ({
    ...{ issuer: url, audience: 'payloads', requiredClaims },
  }));
  await using service = await serveGateway(issuer, 'Token', {
    ...{ allowedNamespaces: ['starters'], gateway: { authentication: 'Token', oidc } },
  });
  await ready(service);
  const loading = [...issuer.requests];
  expect(new Set(loading)).toEqual(new Set(['/.well-known/openid-configuration', '/openid/v1/jwks']));
  const token = issuer.serviceAccountToken({ store: STORE });
  const starter = issuer.serviceAccountToken({ store: STORE, serviceAccount: 'starters/web' });
  const stranger = issuer.serviceAccountToken({ store: STORE, serviceAccount: 'elsewhere/web' });
  const key = keyOf(await put(service, { token }));
  expect((await get(service, key, { token: starter })).status).toBe(200);
  expectError(await get(service, key), 'token_missing');
  expectError(await get(service, key, { token: stranger }), 'caller_denied');
  expectError(await put(service, { token: `${token.slice(0, -9)}AAAAAAAAA` }), 'token_refused');
  expectError(await put(service, { token, plain: true }), 'tls_required');
  expect(await metric(service, requests('payments', 'ok'))).toBe(1);
  expect(await metric(service, requests('starters', 'ok'))).toBe(1);
  expect(await metric(service, requests('anonymous', 'token_missing'))).toBe(1);
  expect(await metric(service, requests('other', 'caller_denied'))).toBe(1);
  expect(await metric(service, requests('other', 'token_refused'))).toBe(1);
  expect(await metric(service, 'payload_store_authentication_info{mode="Token"}')).toBe(1);
  expect(await statusOf(service)).toMatchObject({ ready: true, authentication: 'Token' });
  const { certificate: ca } = AUTHORITY;
  expect((await call(service.data, '/v2/health/head', { method: 'HEAD', ca })).status).toBe(200);
  expect(issuer.requests, 'no token loads the keys again').toEqual(loading);
  const job = ci.oidcToken('payloads', requiredClaims);
  expect((await get(service, key, { token: job })).status).toBe(200);
  const fork = ci.oidcToken('payloads', { repository: 'evil/orders' });
  expectError(await get(service, key, { token: fork }), 'caller_denied');
  expect(await metric(service, requests('oidc', 'ok'))).toBe(1);
  expect(await metric(service, requests('oidc', 'caller_denied'))).toBe(1);
  // An issuer outside the cluster that is down concerns its own callers only.
  const elsewhere = issuer.oidcToken('payloads', { iss: 'https://127.0.0.1:9' });
  expectError(await put(service, { token: elsewhere }), 'token_keys_unavailable');

  const shown = [await refusalsOf(service, issuer), JSON.stringify(await statusOf(service))];
  shown.push((await call(service.metrics, '/metrics')).body.toString(), JSON.stringify(service.log));
  for (const secret of [
    POD_TOKEN,
    ...[token, starter, stranger, elsewhere].flatMap((each) => each.split('.')),
  ])
    expect(shown.join('\n')).not.toContain(secret);
});

/** What is answered to tokens that are wrong in many ways. @throws when an answer has a part of its token */
async function refusalsOf(service: ServingProcess, issuer: TokenIssuer): Promise<string> {
  const good = issuer.serviceAccountToken({ store: STORE });
  const tokens = [
    `${good}A`,
    issuer.serviceAccountToken({ store: STORE, lifetime: -600 }),
    issuer.serviceAccountToken({ store: 'payments/invoices' }),
    issuer.serviceAccountToken({ store: STORE, serviceAccount: 'elsewhere/web' }),
    issuer.sign({ iss: issuer.url }),
    'c2VjcmV0LXRva2VuLW9mLXNvbWVib2R5',
  ];
  const answers: string[] = [];
  for (const token of tokens) {
    const text = (await put(service, { token })).body.toString();
    expect(text).toMatch(/token_refused|caller_denied/);
    for (const part of token.split('.')) expect(text).not.toContain(part);
    answers.push(text);
  }
  return answers.join('\n');
}

test.concurrent('a gateway that cannot load the keys of its cluster is not ready until it can, and says why', async () => {
  await using issuer = await apiServer();
  issuer.answer = (_request, response) => response.writeHead(503).end();
  await using service = await serveGateway(issuer, 'Token');
  const token = issuer.serviceAccountToken({ store: STORE });
  await eventually('the reason is known', async () => (await readyz(service)).message?.includes('503'));
  expect(await readyz(service)).toMatchObject({ status: 503, code: 'token_keys_unavailable' });
  expect(await statusOf(service)).toMatchObject({
    ready: false,
    error: { reason: 'TokenKeysMissing', parameters: { issuer: issuer.url } },
  });
  expectError(await put(service, { token }), 'token_keys_unavailable');
  expect(await metric(service, requests('other', 'token_keys_unavailable'))).toBe(1);
  issuer.answer = undefined;
  await ready(service);
  expect((await put(service, { token })).status).toBe(201);
  // From here on the API server may go: the keys stay.
  issuer.answer = (request) => request.socket.destroy();
  const later = issuer.serviceAccountToken({ store: STORE, pod: 'another' });
  expect((await put(service, { token: later })).status).toBe(200);
  issuer.rotate();
  expectError(await put(service, { token: issuer.serviceAccountToken({ store: STORE }) }), 'token_refused');
  expect((await readyz(service)).status).toBe(200);
});

test.concurrent('in Migrate callers without a token are served as before, also by plain HTTP, and bad tokens are refused', async () => {
  await using issuer = await apiServer();
  issuer.answer = (_request, response) => response.writeHead(503).end();
  await using service = await serveGateway(issuer, 'Migrate', { callers: [{ namespaces: ['payments'] }] });
  // A store of version 0.1 must not stop because its gateway cannot reach the API server.
  await ready(service);
  const key = keyOf(await put(service, { plain: true }));
  expect((await get(service, key)).status).toBe(200);
  const token = issuer.serviceAccountToken({ store: STORE });
  expectError(await get(service, key, { token, plain: true }), 'token_keys_unavailable');
  issuer.answer = undefined;
  await eventually(
    'the token is known',
    async () => (await get(service, key, { token, plain: true })).status === 200,
  );
  const other = issuer.serviceAccountToken({ store: 'payments/invoices' });
  expectError(await get(service, key, { token: other }), 'token_refused');
  expect(await metric(service, requests('anonymous', 'ok'))).toBe(2);
  expect(await metric(service, requests('payments', 'ok'))).toBe(1);
});

test.concurrent('without authentication no token is looked at', async () => {
  await using issuer = await apiServer();
  await using service = await serveGateway(issuer, 'None');
  await ready(service);
  expect((await put(service, { token: 'anything', plain: true })).status).toBe(201);
  expect((await put(service)).status).toBe(200);
  expect(await metric(service, 'payload_store_authentication_info{mode="None"}')).toBe(1);
  expect(await statusOf(service)).toMatchObject({ authentication: 'None' });
  expect(await metric(service, requests('anonymous', 'ok'))).toBe(2);
  expect(issuer.requests).toEqual([]);
});

test.each([
  ['Token', 1],
  ['None', 0],
])(
  'a standalone service, which asks for no token, warns of authentication %s: %i times',
  async (authentication, times) => {
    const lines: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    await using service = await startService({ log, spec: { gateway: { authentication } } });
    expect(lines.filter((line) => line.includes('callers need no token here'))).toHaveLength(times);
    expect((await call(service.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(200);
  },
);
