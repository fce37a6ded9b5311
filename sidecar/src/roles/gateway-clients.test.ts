import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LargePayloadCodec, type LargePayloadCodecOptions } from '@largepayload/codec';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { writeCertificateSecret } from '@largepayload/testing/tls/secret-folder';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { writeClusterFolder } from '@largepayload/testing/tokens/cluster-folder';
import { TokenIssuer } from '@largepayload/testing/tokens/token-issuer';
import { eventually } from '@largepayload/testing/waiting/eventually';
import type { Payload } from '@temporalio/common';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  decoded,
  payload as jsonPayload,
  payloadsOf,
  post,
  startCodec,
} from '../codec-server/codec-server.fixture.ts';

const { run, serve, newFolder } = realProgram();
const STORE = 'payments/documents';
const payload: Payload = {
  metadata: { encoding: Buffer.from('binary/plain') },
  data: Buffer.alloc(200_000, 7),
};

const resources = new AsyncDisposableStack();
let issuer: TokenIssuer;
let gateway: ServingProcess;
let folder: string;
let caFile: string;

beforeAll(async () => {
  folder = await newFolder('clients');
  const authority = testAuthority();
  const pair = authority.issue();
  caFile = await fileWith('ca.crt', authority.certificate);
  issuer = resources.use(await TokenIssuer.start({ tls: { cert: pair.certificate, key: pair.key } }));
  await writeCertificateSecret(join(folder, 'tls'), pair);
  const cluster = await writeClusterFolder(join(folder, 'kubernetes'), 'a-token', authority.certificate);
  // The keys of an issuer elsewhere are fetched from a server that Node trusts.
  vi.stubEnv('NODE_EXTRA_CA_CERTS', caFile);
  gateway = resources.use(
    await serve({
      ...{ namespace: 'payments', name: 'documents', role: 'gateway', dataFolder: join(folder, 'data') },
      args: [
        ...['--tls-dir', join(folder, 'tls')],
        ...['--kubernetes-dir', cluster, '--kubernetes-url', issuer.url],
      ],
      spec: {
        gateway: {
          authentication: 'Token',
          oidc: [{ issuer: issuer.url, audience: 'payloads', requiredClaims: { sub: 'ci' } }],
        },
        allowedNamespaces: ['starters'],
      },
    }),
  );
  await eventually('ready', async () => (await fetch(`http://${gateway.metrics}/readyz`)).status === 200);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await resources.disposeAsync();
});

async function fileWith(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

function codecWith(options: LargePayloadCodecOptions): LargePayloadCodec {
  return new LargePayloadCodec({ url: `https://${gateway.data}`, namespace: 'orders', caFile, ...options });
}

test.each([
  ['a pod of the store', () => issuer.serviceAccountToken({ store: STORE })],
  ['a workflow starter', () => issuer.serviceAccountToken({ store: STORE, serviceAccount: 'starters/web' })],
  ['a job in CI', () => issuer.oidcToken('payloads')],
])('the codec of %s stores and reads a payload at a gateway by its token', async (who, token) => {
  const codec = codecWith({ tokenFile: await fileWith(`token of ${who}`, token()) });
  const references = await codec.encode([payload]);
  expect(references[0]?.data?.byteLength).toBeLessThan(1_000);
  expect((await codec.decode(references))[0]?.data).toEqual(new Uint8Array(payload.data ?? []));
});

test('the codec server stores and reads payloads at a gateway by its token', async () => {
  const tokenFile = await fileWith('codec-server', issuer.serviceAccountToken({ store: STORE }));
  await using server = await startCodec({ url: `https://${gateway.data}`, tokenFile, caFile });
  const large = jsonPayload('x'.repeat(200_000));
  const references = payloadsOf(await post(server, '/encode', [large], { 'X-Namespace': 'orders' }));
  expect(references[0]?.data?.length).toBeLessThan(1_000);
  expect(await decoded(server, ...references)).toEqual([large]);
});

test('the codec waits for a token that is accepted, and then goes on', async () => {
  const tokenFile = await fileWith('expired', issuer.serviceAccountToken({ store: STORE, lifetime: -60 }));
  const encoded = codecWith({ tokenFile, retryTimeoutMs: 60_000 }).encode([payload]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await fileWith('expired', issuer.serviceAccountToken({ store: STORE }));
  expect(await encoded).toHaveLength(1);
});

test.each<[string, string, () => string, string, boolean]>([
  [
    'of another store',
    'token-other',
    () => issuer.serviceAccountToken({ store: 'payments/other' }),
    'token_refused',
    true,
  ],
  [
    'of a namespace that the store does not admit',
    'token-denied',
    () => issuer.serviceAccountToken({ store: STORE, serviceAccount: 'elsewhere/web' }),
    'caller_denied',
    false,
  ],
])('the codec with a token %s gets an error that says so', async (_case, file, token, code, retryable) => {
  const tokenFile = await fileWith(file, token());
  const failed = codecWith({ tokenFile, retryTimeoutMs: 0 }).encode([payload]);
  await expect(failed).rejects.toMatchObject({
    code,
    retryable,
    message: expect.not.stringContaining(token()),
  });
});

test('the codec without a token gets an error that a token is missing', async () => {
  await expect(codecWith({ retryTimeoutMs: 0 }).encode([payload])).rejects.toMatchObject({
    name: 'PayloadStoreUnavailableError',
    code: 'token_missing',
  });
});

test('a client that speaks plain HTTP gets an error that TLS is needed', async () => {
  const args = ['--namespace', 'orders', '--url', `http://${gateway.data}`, caFile];
  const outcome = await run(['put', ...args]);
  expect(outcome).toMatchObject({ code: 5, stderr: expect.stringContaining('tls_required') });
  expect(outcome.stderr).toContain('use the https:// URL of the gateway');
});
