import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFigures } from '@largepayload/testing/benchmarks/figures';
import { markdownTable } from '@largepayload/testing/benchmarks/markdown-table';
import { machineFacts, measured } from '@largepayload/testing/benchmarks/measuring';
import { startControlPlane } from '@largepayload/testing/cluster/control-plane';
import { cpuSecondsOf } from '@largepayload/testing/processes/process-facts';
import { type PolicySettings, policyObjects } from '../src/injection/policy/policy-objects.ts';
import { connectToKubernetes } from '../src/kubernetes/client-node-api.ts';
import { NAMESPACES } from '../src/kubernetes/resources.ts';
import type { StoreSpec } from '../src/stores/read-store.ts';
import { type Admissions, admissions } from './admitted-pods.ts';

/** What policies of stores cost the API server. --write puts the table into docs/operator-performance.md. */
const STORES = 1_000;
const OTHER_NAMESPACES = 9;
const PODS = 400;
const AT_A_TIME = 4;
/** s of processor time in `CALM_MS`, below which the API server has compiled what it was given */
const CALM_SECONDS = 0.15;
const CALM_MS = 3_000;

const SETTINGS: PolicySettings = {
  ...{ image: 'largepayload/payload-store:bench', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
  ...{ runAsUser: 65_532, version: 'bench', failurePolicy: 'Fail', operatorNamespace: 'operators' },
};
/** out of scope of every policy */
const OUTSIDE = 'outside';
/** labelled with the name of its store */
const INSIDE = 'inside';

const [loadBefore = 0] = loadavg();
await using plane = await startControlPlane({ say: (line) => process.stderr.write(`${line}\n`) });
const api = connectToKubernetes({ kubeconfig: plane.kubeconfig, version: 'bench' });
const { signal } = new AbortController();
const server = plane.pids.apiServer;

await makeNamespace(OUTSIDE);
await makeNamespace(INSIDE, { 'largepayload.dev/inject': 'store-0' });
const before = await measured('pods without policies', () => pods(OUTSIDE));
const cpuBefore = cpuSecondsOf(server);
const writtenMs = await measured(`${STORES} policies`, writeAll);
await calm();
const cpuSeconds = cpuSecondsOf(server) - cpuBefore;
const outside = await measured('pods out of scope', () => pods(OUTSIDE));
const inside = await measured('pods in scope', () => pods(INSIDE));
if (inside.injected < PODS || outside.injected > 0) throw new Error('not the pods in scope were injected');

const machine = `Measured by \`make bench-operator\` on ${machineFacts()}, whose load was ${loadBefore.toFixed(1)} before; ${PODS} pods each, one after another, in one run.`;
const figures = `${machine}\n\n${markdownTable(['API server with policies', 'measured', 'goal'], rows())}`;
process.stdout.write(`${figures}\n`);
if (process.argv[2] === '--write') writeFigures('docs/operator-performance.md', 'bench-policies', figures);

function rows(): (readonly [string, string, string])[] {
  const each = ({ tookMs, cpuMs }: Admissions) => `${tookMs.toFixed(2)} ms (CPU: ${cpuMs.toFixed(2)} ms)`;
  const more = (found: Admissions) =>
    `${(found.tookMs - before.tookMs).toFixed(2)} ms more, ${(found.tookMs / before.tookMs).toFixed(2)} times`;
  return [
    [`${STORES} stores: policies and bindings are written`, `${(writtenMs / 1_000).toFixed(1)} s`, '≤ 60 s'],
    [`${STORES} stores: CPU until the API server has compiled them`, `${cpuSeconds.toFixed(1)} s`, ''],
    ['no policy: a pod is made, p50', each(before), ''],
    [`${STORES} policies: a pod out of scope is made, p50`, each(outside), ''],
    [`${STORES} policies: a pod in scope is made, p50`, each(inside), ''],
    [`${STORES} policies: a pod out of scope costs`, more(outside), '≤ 1 ms more'],
    [`${STORES} policies: a pod in scope costs`, more(inside), ''],
  ];
}

async function pods(namespace: string): Promise<Admissions> {
  // The first ones warm up.
  await admissions(api, server, namespace, PODS / 4);
  return await admissions(api, server, namespace, PODS);
}

async function makeNamespace(name: string, labels = {}): Promise<void> {
  await api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }, signal);
}

/** @returns ms */
async function writeAll(): Promise<number> {
  const began = performance.now();
  let next = 0;
  const work = async () => {
    while (next < STORES) await writePolicy(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return performance.now() - began;
}

async function writePolicy(index: number): Promise<void> {
  const namespace = index === 0 ? INSIDE : `shop-${index % OTHER_NAMESPACES}`;
  const spec = { thresholdSize: 128_000 } as StoreSpec;
  for (const { resource, object } of policyObjects({ name: `store-${index}`, namespace, spec }, SETTINGS))
    await api.apply(resource, object, { force: false }, signal);
}

async function calm(): Promise<void> {
  for (;;) {
    const earlier = cpuSecondsOf(server);
    await sleep(CALM_MS);
    if (cpuSecondsOf(server) - earlier < CALM_SECONDS) return;
  }
}
