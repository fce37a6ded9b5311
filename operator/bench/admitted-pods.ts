import { cpuSecondsOf } from '@largepayload/testing/processes/process-facts';
import type { KubernetesApi, KubernetesObject } from '../src/kubernetes/api.ts';
import { PODS } from '../src/kubernetes/resources.ts';
import { percentile } from './measurements.ts';

export interface Admissions {
  /** ms from request to answer, p50 */
  readonly tookMs: number;
  /** ms of processor time of the API server for each pod */
  readonly cpuMs: number;
  /** of the pods, how many have a sidecar */
  readonly injected: number;
}

const { signal } = new AbortController();

/** Makes pods one after another, and measures what each costs the API server. */
export async function admissions(
  api: KubernetesApi,
  apiServerPid: number,
  namespace: string,
  count: number,
): Promise<Admissions> {
  const times: number[] = [];
  let injected = 0;
  const cpuBefore = cpuSecondsOf(apiServerPid);
  for (let index = 0; index < count; index++) {
    const began = performance.now();
    const made = await api.create(PODS, workerPod(namespace), signal);
    times.push(performance.now() - began);
    if (JSON.stringify(made.spec).includes('large-payload-sidecar')) injected += 1;
  }
  const cpuMs = ((cpuSecondsOf(apiServerPid) - cpuBefore) * 1_000) / count;
  times.sort((one, other) => one - other);
  return { tookMs: percentile(times, 0.5), cpuMs, injected };
}

function workerPod(namespace: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `worker-${crypto.randomUUID()}`, namespace },
    spec: {
      serviceAccountName: 'default',
      containers: [{ name: 'worker', image: 'worker:1', env: [{ name: 'QUEUE', value: 'orders' }] }],
    },
  };
}
