import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { leanKubernetesClient } from '../../lean-kubernetes-client.ts';
import { apiBed } from './api-server.fixture.ts';

const bed = apiBed();
const LEASES = "{ group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases' }";
const PROGRAM = `
import { connectToKubernetes } from '${import.meta.dirname}/client-node-api.ts';
const api = connectToKubernetes({ version: 'test' });
const selection = { resource: ${LEASES}, namespace: 'kube-system' };
api.list(selection, { limit: 10 }, new AbortController().signal).then(
  ({ items }) => console.log(JSON.stringify({ kinds: items.map(({ kind }) => kind), memory: process.memoryUsage.rss() })),
);`;

test('a bundled program has only the used parts of the library, and works', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bundled-'));
  try {
    const [entry, outfile] = [join(folder, 'program.ts'), join(folder, 'program.cjs')];
    await writeFile(entry, PROGRAM);
    await build({
      ...{ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'cjs', logLevel: 'silent' },
      ...{ conditions: ['largepayload-source'], plugins: [leanKubernetesClient] },
    });
    expect((await stat(outfile)).size).toBeLessThan(1_000_000);
    const env = { ...process.env, KUBECONFIG: bed.controlPlane().kubeconfig };
    const { stdout } = await promisify(execFile)(process.execPath, [outfile], { env });
    const { kinds, memory } = JSON.parse(stdout) as { kinds: string[]; memory: number };
    expect(kinds).toContain('Lease');
    // Node's own is about 50 MiB, the whole library about 30 more.
    expect(memory / 2 ** 20).toBeLessThan(75);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
