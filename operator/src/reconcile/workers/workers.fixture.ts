import { at, listAt, textAt } from '@largepayload/crds';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { type Logger, pino } from 'pino';
import { StoreView } from '../../cluster/store-view.ts';
import { applyPatch } from '../../injection/apply-patch.ts';
import { injectSidecar } from '../../injection/inject-sidecar.ts';
import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import { NEVER } from '../../kubernetes/api-server.fixture.ts';
import { EventRecorder } from '../../kubernetes/event-recorder.ts';
import { LARGE_PAYLOAD_STORES, NAMESPACES, PODS } from '../../kubernetes/resources.ts';
import { Metrics } from '../../operations/metrics.ts';
import { type InjectionOptions, parseOptions } from '../../options.ts';
import { watchWorkers } from '../../workers.ts';

const VERSION = '1.2.3';
const OPTIONS = parseOptions([
  '--image',
  'payload-store:test',
  '--namespace',
  'operators',
  '--injection',
  'Policy',
]);
/** What the workers of these tests are injected with. */
export const SETTINGS = {
  ...{ image: OPTIONS.image, imagePullPolicy: OPTIONS.imagePullPolicy, imagePullSecrets: [] },
  ...{ runAsUser: 65_532, version: VERSION },
};

export interface RunningWorkers {
  readonly metrics: Metrics;
  stop(): Promise<void>;
}

/** The part of the operator that sees to workers. */
export function runWorkers(
  api: KubernetesApi,
  {
    injection = {},
    problemOf = () => undefined,
    log = pino({ level: 'silent' }),
  }: {
    injection?: Partial<InjectionOptions> | 'off';
    problemOf?: (store: string) => string | undefined;
    log?: Logger;
  } = {},
): RunningWorkers {
  const end = new AbortController();
  const metrics = new Metrics();
  const isOn = injection !== 'off' && OPTIONS.injection !== undefined;
  const options = { ...OPTIONS, injection: isOn ? { ...OPTIONS.injection, ...injection } : undefined };
  const view = new StoreView({ api, namespaces: isOn, onFailure: () => {} });
  const workers = watchWorkers({
    ...{ api, options, version: VERSION, view, metrics, log, instance: 'test', problemOf, now: Date.now },
    isInjecting: (store) => problemOf(store) === undefined,
    events: new EventRecorder({ api, instance: 'test' }),
  });
  const running = Promise.all([view, workers].map((part) => part.run(end.signal)));
  return {
    metrics,
    async stop() {
      end.abort();
      await running;
    },
  };
}

/** The owner of the pods of a Deployment. */
export function replicaSet(name: string, kind = 'ReplicaSet', apiVersion = 'apps/v1') {
  return { apiVersion, kind, name, uid: crypto.randomUUID(), controller: true };
}

/** A worker pod without a sidecar. */
export function workerPod(namespace: string, name: string, metadata: object = {}): KubernetesObject {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, ...metadata } },
    // Without an admission plugin that chooses it, a token needs the name of its account.
    spec: { serviceAccountName: 'default', containers: [{ name: 'worker', image: 'worker:1' }] },
  };
}

/** The same pod as the operator would inject it. */
export function injected(
  pod: KubernetesObject,
  store: { name: string; namespace: string },
): KubernetesObject {
  const result = injectSidecar(pod, { spec: undefined, ...store }, SETTINGS);
  return result.kind === 'injected' ? applyPatch(pod, result.patch) : pod;
}

export async function label(api: KubernetesApi, namespace: string, value: string): Promise<void> {
  const labels = { 'largepayload.dev/inject': value };
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
  await api.patch(NAMESPACES, object, NEVER);
}

/** Writes the status of a pod as its node would. */
export async function setPhase(api: KubernetesApi, pod: KubernetesObject, phase: string): Promise<void> {
  const { namespace = '', name } = pod.metadata;
  const ready = { type: 'Ready', status: phase === 'Running' ? 'True' : 'False' };
  const status = { phase, conditions: [{ ...ready, lastTransitionTime: '2026-01-01T00:00:00Z' }] };
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, status };
  await api.applyStatus(PODS, object, NEVER, 'kubelet');
}

export interface Reported {
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly pods: unknown;
}

export async function reported(api: KubernetesApi, namespace: string, name: string): Promise<Reported> {
  const store = await api.get({ resource: LARGE_PAYLOAD_STORES, namespace, name }, NEVER);
  const found = listAt(store?.status, 'conditions').find(({ type }) => type === 'InjectionCurrent');
  return {
    reason: textAt(found, 'reason'),
    message: textAt(found, 'message'),
    pods: at(store?.status, 'pods'),
  };
}

/** Resolves once the condition has the reason, and the pods are counted so. */
export async function untilReported(
  api: KubernetesApi,
  [namespace, name]: readonly [string, string],
  reason: string,
  pods: object = {},
): Promise<Reported> {
  return await eventualValue(async () => {
    const found = await reported(api, namespace, name);
    const isCounted = Object.entries(pods).every(([state, count]) => at(found.pods, state) === count);
    return found.reason === reason && isCounted ? found : undefined;
  }, 30_000);
}
