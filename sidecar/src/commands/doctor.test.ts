import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { realProgram } from '@largepayload/testing/service/real-program';
import { describe, expect, test } from 'vitest';

const { run, newFolder } = realProgram();

const BILLING = ['--namespace', 'billing'];

async function kubeconfigFor(server: string): Promise<string> {
  const path = join(await newFolder(crypto.randomUUID()), 'config');
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: {} }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

/** An API server of a cluster that has nothing. */
async function emptyCluster() {
  const server = createServer(({ url = '' }, response) => {
    const isNamed = /\/(namespaces|configmaps|mutatingadmissionpolicies|largepayloadstores)\/[^/]+$/.test(
      url.split('?')[0] ?? '',
    );
    const absent = { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404, message: 'not found' };
    response.writeHead(isNamed ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(isNamed ? absent : { items: [], metadata: { resourceVersion: '1' } }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const kubeconfig = await kubeconfigFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { kubeconfig, [Symbol.asyncDispose]: async () => void server.close() };
}

describe.concurrent('payload-store doctor', () => {
  test('ends with 1 when it found a problem, and prints text or one JSON object', async () => {
    await using cluster = await emptyCluster();
    const args = ['doctor', ...BILLING, '--store', 'documents.orders', '--kubeconfig', cluster.kubeconfig];
    const { code, stdout, stderr } = await run(args);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^payload-store: \d problems found\n$/),
    });
    expect(stdout.toString()).toContain('problem  namespace');
    const json = await run([...args, '--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout.toString())).toEqual({
      namespace: 'billing',
      stores: ['documents.orders'],
      findings: expect.arrayContaining([
        {
          check: 'namespace',
          level: 'problem',
          message: 'there is no namespace "billing"',
          fix: 'kubectl get namespaces',
        },
        expect.objectContaining({ check: 'store', store: 'documents.orders', level: 'problem' }),
      ]),
      counts: expect.objectContaining({ ok: 0, unknown: 0 }),
    });
  });

  test('ends with 5 when the API server does not answer', async () => {
    const args = ['doctor', ...BILLING, '--kubeconfig', await kubeconfigFor('http://127.0.0.1:9')];
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/the API server at http:\/\/127\.0\.0\.1:9 cannot be asked/);
  });

  test.each<[what: string, args: readonly string[], message: string]>([
    ['a store that is no name', [...BILLING, '--store', 'A/b'], 'write NAME or NAME.NAMESPACE'],
    [
      'a kubeconfig that is not there',
      [...BILLING, '--kubeconfig', '/nonexistent'],
      'the kubeconfig /nonexistent',
    ],
  ])('ends with 2 for %s', async (_what, args, message) => {
    const { code, stderr } = await run(['doctor', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test('ends with 2 for a context that the kubeconfig does not have, and names those that it has', async () => {
    const kubeconfig = await kubeconfigFor('http://127.0.0.1:9');
    const { code, stderr } = await run([
      'doctor',
      ...BILLING,
      '--kubeconfig',
      kubeconfig,
      '--context',
      'other',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('the kubeconfig has no context "other"; it has test');
  });
});
