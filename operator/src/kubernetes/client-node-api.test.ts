import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connectToKubernetes } from './client-node-api.ts';
import { configMap } from './objects.fixture.ts';
import { CONFIG_MAPS } from './resources.ts';
import { answer, scriptedServer } from './scripted-server.fixture.ts';

const NAME = { resource: CONFIG_MAPS, namespace: 'shop', name: 'one' };
const NEVER = new AbortController().signal;
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  vi.stubEnv('KUBECONFIG', undefined);
  vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined);
  vi.stubEnv('HOME', folder);
});
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function kubeconfig(server: string, user: object): Promise<string> {
  const path = join(folder, 'kubeconfig');
  const config = {
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

test('a token in a file is read again when it is a minute old, and its newline is no part of it', async () => {
  await using server = await scriptedServer((_, response) => answer(response, 200, configMap('one', '1')));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'first\n');
  // What a pod's service account is made into.
  const user = { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } };
  const path = await kubeconfig(server.access.url, user);
  const api = connectToKubernetes({ kubeconfig: path, version: '1.2.3' });
  vi.useFakeTimers({ toFake: ['Date'] });
  await api.get(NAME, NEVER);
  await writeFile(tokenFile, 'second\n');
  vi.setSystemTime(Date.now() + 59_000);
  await api.get(NAME, NEVER);
  vi.setSystemTime(Date.now() + 2_000);
  await api.get(NAME, NEVER);
  expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer first',
    'Bearer first',
    'Bearer second',
  ]);
  expect(server.asked[0]?.headers['user-agent']).toBe('large-payload-operator/1.2.3');
  expect(server.connections).toBe(1);
});

test('a token file that cannot be read fails the call with a message', async () => {
  const tokenFile = join(folder, 'missing');
  const user = { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } };
  const path = await kubeconfig('https://127.0.0.1:1', user);
  const api = connectToKubernetes({ kubeconfig: path, version: '1.2.3' });
  await expect(api.get(NAME, NEVER)).rejects.toMatchObject({
    status: 0,
    message: expect.stringMatching(/get configmaps shop\/one: .*https:\/\/127\.0\.0\.1:1: .*ENOENT.*missing/),
  });
});

test('KUBECONFIG is used where no path is given, before the service account of the pod', async () => {
  vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.0.0.1');
  vi.stubEnv('KUBERNETES_SERVICE_PORT', '443');
  expect(connectToKubernetes({ version: '1' }).url).toBe('https://10.0.0.1:443');
  vi.stubEnv('KUBECONFIG', await kubeconfig('https://127.0.0.1:2', {}));
  expect(connectToKubernetes({ version: '1' }).url).toBe('https://127.0.0.1:2');
});

test.each([
  [
    'no configuration at all',
    undefined,
    undefined,
    /no cluster is configured: there is no kubeconfig\..*KUBECONFIG/,
  ],
  ['a path that leads nowhere', undefined, '/nowhere/config', /the kubeconfig \/nowhere\/config .*ENOENT/],
  [
    'KUBECONFIG that leads nowhere',
    '/nowhere/config',
    undefined,
    /the kubeconfig \/nowhere\/config .*ENOENT/,
  ],
  ['a file without a current context', '', undefined, /current-context names none/],
])('%s is an error that names the fix', async (_, fromEnvironment, path, message) => {
  const empty = join(folder, 'empty');
  await writeFile(empty, '{"clusters":[]}');
  vi.stubEnv('KUBECONFIG', fromEnvironment === '' ? empty : fromEnvironment);
  expect(() => connectToKubernetes({ kubeconfig: path, version: '1' })).toThrow(message);
});
