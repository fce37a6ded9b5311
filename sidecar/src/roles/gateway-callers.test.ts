import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import {
  realProgram,
  type ServeOptions,
  type ServingProcess,
} from '@largepayload/testing/service/real-program';
import { metric } from '@largepayload/testing/service/running-service';
import { writeClusterFolder } from '@largepayload/testing/tokens/cluster-folder';
import { TokenIssuer } from '@largepayload/testing/tokens/token-issuer';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';

const { serve, newFolder, run, configFile } = realProgram();

const STORE = 'payments/documents';
const MANIFEST = { namespace: 'payments', name: 'documents' };

async function serveGateway(issuer: TokenIssuer, options: ServeOptions = {}): Promise<ServingProcess> {
  const folder = await newFolder(crypto.randomUUID());
  const cluster = await writeClusterFolder(`${folder}-kubernetes`, 'token-of-the-gateway');
  return await serve({
    ...MANIFEST,
    role: 'gateway',
    dataFolder: folder,
    args: ['--kubernetes-dir', cluster, '--kubernetes-url', issuer.url],
    ...options,
  });
}

const put = (service: ServingProcess, authorization?: string, content = 'a payload') => {
  const { bytes, putPath, putHeaders } = testPayload(content);
  const headers = { ...putHeaders, ...(authorization && { Authorization: authorization }) };
  return call(service.data, putPath, { method: 'PUT', headers, body: bytes });
};
const get = (service: ServingProcess, key: string, authorization?: string, content = 'a payload') => {
  const headers = {
    ...testPayload(content).getHeaders,
    ...(authorization && { Authorization: authorization }),
  };
  return call(service.data, getPath(key), { headers });
};
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
  await using issuer = await TokenIssuer.start({ token: 'token-of-the-gateway', algorithm: 'RS256' });
  const spec = { gateway: { authentication: 'Token' }, allowedNamespaces: ['starters'] };
  await using service = await serveGateway(issuer, { spec });
  await ready(service);
  const token = issuer.serviceAccountToken({ store: STORE });
  const starter = issuer.serviceAccountToken({ store: STORE, serviceAccount: 'starters/web' });
  const stranger = issuer.serviceAccountToken({ store: STORE, serviceAccount: 'elsewhere/web' });
  const key = keyOf(await put(service, `Bearer ${token}`));
  expect((await get(service, key, `Bearer ${starter}`)).status).toBe(200);
  expectError(await get(service, key), 'token_missing');
  expectError(await get(service, key, `Bearer ${stranger}`), 'caller_denied');
  expectError(await put(service, `Bearer ${token.slice(0, -9)}AAAAAAAAA`), 'token_refused');
  expect(await metric(service, requests('payments', 'ok'))).toBe(1);
  expect(await metric(service, requests('starters', 'ok'))).toBe(1);
  expect(await metric(service, requests('anonymous', 'token_missing'))).toBe(1);
  expect(await metric(service, requests('other', 'caller_denied'))).toBe(1);
  expect(await metric(service, requests('other', 'token_refused'))).toBe(1);
  expect(await metric(service, 'payload_store_authentication_info{mode="Token"}')).toBe(1);
  expect((await call(service.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(200);
});
