import { setTimeout as sleep } from 'node:timers/promises';
import { listAt, textAt } from '@largepayload/crds';
import { measured } from '@largepayload/testing/benchmarks/measuring';
import { freePorts } from '@largepayload/testing/processes/free-port';
import { applyPatch } from '../src/injection/apply-patch.ts';
import { injectSidecar } from '../src/injection/inject-sidecar.ts';
import { INJECT_LABEL } from '../src/injection/names.ts';
import type { KubernetesObject } from '../src/kubernetes/api.ts';
import { LARGE_PAYLOAD_STORES, PODS } from '../src/kubernetes/resources.ts';
import { type Bed, startBed } from './bed.ts';
import { idle, percentile } from './measurements.ts';
import type { OperatorProcess } from './operator-process.ts';
import type { Row } from './row.ts';

const STORES = 1_000;
const PODS_OF_A_STORE = 3;
const NAMESPACES = 10;
const AT_A_TIME = 8;
const NAMED = 10;
const IDLE_SECONDS = 60;
const LIMIT = 600_000;
const NEVER = new AbortController().signal;
/** As the operator injects by its defaults. */
const SETTINGS = {
  ...{ image: 'payload-store:bench', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
  ...{ runAsUser: 65_532, version: 'bench' },
};

/** What the operator costs with 1,000 stores and 3,000 pods in scope, all injected, and how soon it names one that is not. */
export async function withWorkers(nodeFlags: readonly string[]): Promise<Row[]> {
  await using bed = await measured(`API server with ${STORES} stores`, () => startBed(STORES, nodeFlags));
  const total = STORES * PODS_OF_A_STORE;
  await measured(`${total} worker pods`, () => makeWorkers(bed));
  const [port = 0] = await freePorts(1);
  const args = ['--injection', 'Webhook', '--webhook-name', 'bench', '--webhook-listen', `127.0.0.1:${port}`];
  const started = performance.now();
  const operator = await bed.startOperator(...args);
  await measured('start', () => untilRead(operator, total));
  const seconds = (performance.now() - started) / 1_000;
  await bed.fleet.settled(LIMIT);
  const peak = operator.memory('VmHWM');
  const calm = await measured('idle', () => idle(bed, operator, IDLE_SECONDS));
  const times = await measured('missed pods', () => namingTimes(bed));
  const cpu = operator.cpuSeconds;
  await operator.stop();
  const what = `${STORES} stores with ${total} worker pods`;
  const at = (share: number) => `${(percentile(times, share) / 1_000).toFixed(1)} s`;
  return [
    [`${what}, cold start: until all pods are read`, `${seconds.toFixed(1)} s`, '≤ 60 s'],
    [`${what}: peak memory`, `${peak.toFixed(0)} MiB`, '≤ 192 MiB'],
    [`${what}, idle: memory`, `${calm.memory.toFixed(0)} MiB`, '≤ 160 MiB'],
    [`${what}, idle: CPU`, `${calm.millicores.toFixed(1)} millicores`, '≤ 5'],
    [`${what}, idle: API requests a second`, calm.requestsPerSecond.toFixed(2), '≤ 1'],
    [`${what}: CPU in all`, `${cpu.toFixed(1)} s`, ''],
    [`${what}: from a missed pod to its name in the status, p50, most`, `${at(0.5)}, ${at(1)}`, '≤ 10 s'],
  ];
}

async function makeWorkers({ api }: Bed): Promise<void> {
  const indexes = Array.from({ length: STORES * PODS_OF_A_STORE }, (_, index) => index).values();
  const work = async () => {
    for (const index of indexes) {
      const store = index % STORES;
      const name = { name: `store-${store}`, namespace: `bench-${store % NAMESPACES}` };
      const pod = workerPod(name, `worker-${index}`);
      const result = injectSidecar(pod, name, SETTINGS);
      if (result.kind === 'injected') await api.create(PODS, applyPatch(pod, result.patch), NEVER);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
}

function workerPod(store: { name: string; namespace: string }, name: string): KubernetesObject {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: `${store.name}-7d9f8b6c5`,
    controller: true,
  };
  const labels = { app: 'worker', 'pod-template-hash': '7d9f8b6c5', [INJECT_LABEL]: store.name };
  const ownerReferences = [{ ...owner, uid: crypto.randomUUID() }];
  const env = Array.from({ length: 10 }, (_, index) => ({ name: `VARIABLE_${index}`, value: 'a value' }));
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { namespace: store.namespace, name, labels, ownerReferences },
    spec: { serviceAccountName: 'default', containers: [{ name: 'worker', image: 'worker:1', env }] },
  };
}

async function untilRead(operator: OperatorProcess, pods: number): Promise<void> {
  const end = performance.now() + LIMIT;
  while ((await operator.workers()) < pods) {
    if (performance.now() > end) throw new Error(`after ${LIMIT / 1_000} s not all pods have been read`);
    await sleep(200);
  }
}

/** ms from a pod without a sidecar to its name in the status of its store, the shortest first */
async function namingTimes({ api }: Bed): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < NAMED; index += 1) {
    const store = { name: `store-${index}`, namespace: `bench-${index % NAMESPACES}` };
    const began = performance.now();
    await api.create(PODS, workerPod(store, `missed-${index}`), NEVER);
    for (;;) {
      const found = await api.get({ resource: LARGE_PAYLOAD_STORES, ...store }, NEVER);
      const condition = listAt(found?.status, 'conditions').find(({ type }) => type === 'InjectionCurrent');
      if (textAt(condition, 'message')?.includes(`missed-${index}`)) break;
      if (performance.now() - began > LIMIT) throw new Error(`missed-${index} is not named`);
      await sleep(50);
    }
    times.push(performance.now() - began);
  }
  return times.sort((one, other) => one - other);
}
