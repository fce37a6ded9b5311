import { type ReadFailure, storageKindOf, textAt } from '@largepayload/crds';
import type { Situation } from './conditions/component-view.ts';
import { type DesiredObject, hasReaper } from './desired-objects.ts';
import { type Component, componentName } from './names.ts';
import type {
  ObservedDeployment,
  ObservedObject,
  ObservedPod,
  ObservedStore,
  PodReport,
} from './observed.ts';
import { desiredDeployment, templateHashOf } from './rollout.ts';
import { desiredFor, ON_S3, store } from './stores.fixture.ts';

export const NOW = Date.parse('2026-06-01T12:00:00Z');
export const STORAGE_ID = 'payments/orders/0b54cbd3-7a86-4f0c-9c1c-6c6bc9c7a8a3';
export const HOUR = 3_600_000;
export const MINUTE = 60_000;

type Fields = Record<string, unknown>;

/** Observed as desired: each object applied, by this store. */
export function appliedObjects(desired: readonly DesiredObject[], uid = store().uid): ObservedObject[] {
  return desired.map(({ resource, object, hash }) => ({
    resource,
    namespace: object.metadata.namespace ?? '',
    storeNamespace: 'payments',
    name: object.metadata.name,
    uid: `uid of ${object.kind} ${object.metadata.name}`,
    resourceVersion: '1',
    store: 'orders',
    controller: object.metadata.ownerReferences === undefined ? undefined : uid,
    deleting: false,
    objectHash: hash,
    configHash: textAt(object, 'metadata', 'annotations', 'largepayload.dev/config-hash'),
  }));
}

export function deploymentOf(
  desired: readonly DesiredObject[],
  component: Component,
  overrides: Partial<ObservedDeployment> = {},
): ObservedDeployment {
  const wanted = desiredDeployment(store(), desired, component);
  if (wanted === undefined) throw new Error(`no Deployment of the ${component} is desired`);
  const [object] = appliedObjects([wanted]);
  const replicas = (wanted.object.spec as { replicas: number }).replicas;
  return {
    ...(object as ObservedObject),
    name: componentName('orders', component),
    generation: 1,
    observedGeneration: 1,
    wanted: replicas,
    ...{ replicas, updated: replicas, ready: replicas, available: replicas },
    templateHash: templateHashOf(wanted),
    progressing: undefined,
    replicaFailure: undefined,
    ...overrides,
  };
}

/** A pod that has run for an hour and is ready. */
export function podOf(
  deployment: ObservedDeployment | undefined,
  component: Component,
  overrides: Partial<ObservedPod> & { readonly name: string },
): ObservedPod {
  return {
    namespace: 'payments',
    uid: `uid of ${overrides.name}`,
    store: 'orders',
    component,
    node: 'node-1',
    ip: '10.0.0.1',
    phase: 'Running',
    deleting: false,
    ready: true,
    restarts: 0,
    image: 'registry.example/payload-store:0.1.0',
    configHash: deployment?.configHash,
    templateHash: deployment?.templateHash,
    createdAt: NOW - HOUR,
    runningSince: NOW - HOUR,
    scheduled: { status: 'True', reason: '', message: '' },
    waiting: undefined,
    ended: undefined,
    ...overrides,
  };
}

/** The fields of a pod that has not begun to run. */
export const PENDING = { phase: 'Pending', ready: false, runningSince: undefined, createdAt: NOW - MINUTE };

/** A status report of a process that is well. */
export function statusReport(overrides: Fields = {}): PodReport {
  return {
    report: {
      store: 'payments/orders',
      storageID: STORAGE_ID,
      version: '0.1.0',
      ready: true,
      error: undefined,
      reaper: undefined,
      ...overrides,
    },
  };
}

/** A status report of a process that cannot use its storage. */
export function errorReport(error: ReadFailure, overrides: Fields = {}): PodReport {
  return statusReport({ ready: false, error, ...overrides });
}

/** The last pass of a reaper that works. */
export const REAPED = { lastCompleted: NOW - 30 * MINUTE, lastError: undefined };

/** A store that is well in every way. */
export function wellStore(spec: Fields = ON_S3): Situation {
  const desired = desiredFor(spec);
  const read = store(spec);
  const gateway = deploymentOf(desired, 'gateway');
  const withReaper = read.spec !== undefined && hasReaper(read.spec);
  const reaper = withReaper ? deploymentOf(desired, 'reaper') : undefined;
  const names = Array.from({ length: gateway.wanted }, (_, index) => `orders-gateway-${index + 1}`);
  const pods = names.map((name) => podOf(gateway, 'gateway', { name }));
  if (reaper !== undefined) pods.push(podOf(reaper, 'reaper', { name: 'orders-reaper-1' }));
  const reaping = read.spec === undefined ? 'reaper' : storageKindOf(read.spec).deletedBy;
  const reports = pods.map(({ uid, component }): [string, PodReport] => {
    const reaps = component === reaping;
    return [uid, statusReport(reaps ? { reaper: REAPED } : {})];
  });
  const observed: ObservedStore = {
    store: read,
    gateway,
    reaper,
    pods,
    objects: appliedObjects(desired),
    reports: new Map(reports),
    eventMessages: new Map(),
    refusals: [],
  };
  return { observed, desired, now: NOW };
}

/** The same situation with other observations. */
export function but(situation: Situation, observed: Partial<ObservedStore>): Situation {
  return { ...situation, observed: { ...situation.observed, ...observed } };
}

/** The same with pods of a component changed, and its Deployment as that makes it. */
export function withPods(
  situation: Situation,
  component: Component,
  change: Partial<ObservedPod>,
  deployment: Partial<ObservedDeployment> = change.ready === false ? { ready: 0, available: 0 } : {},
): Situation {
  const { observed } = situation;
  const before = observed[component];
  const pods = observed.pods.map((pod) => (pod.component === component ? { ...pod, ...change } : pod));
  return but(situation, { pods, [component]: before && { ...before, ...deployment } });
}

/** The same with another status report of each of a component's pods. */
export function withReports(situation: Situation, component: Component, report: PodReport): Situation {
  const reports = new Map(situation.observed.reports);
  for (const pod of situation.observed.pods) if (pod.component === component) reports.set(pod.uid, report);
  return but(situation, { reports });
}

export function withMountFailure(situation: Situation, component: Component, message: string): Situation {
  const pods = situation.observed.pods.filter((pod) => pod.component === component);
  return but(situation, { eventMessages: new Map(pods.map(({ uid }) => [uid, message])) });
}

/** A store that was well and has been edited: pods of the earlier configuration serve, and `change` is one pod of the new one. */
export function edited(
  change: Partial<ObservedPod>,
  deployment: Partial<ObservedDeployment> = {},
): Situation {
  const before = wellStore();
  const after = wellStore({ ...ON_S3, maxPayloadSize: '2Gi' });
  const gateway = {
    ...(after.observed.gateway as ObservedDeployment),
    updated: 1,
    replicas: 3,
    ...deployment,
  };
  const fresh = podOf(gateway, 'gateway', { name: 'orders-gateway-new', ...change });
  const old = before.observed.pods.filter(({ component }) => component === 'gateway');
  const reaper = after.observed.pods.filter(({ component }) => component === 'reaper');
  return but(after, { gateway, pods: [...old, fresh, ...reaper], reports: before.observed.reports });
}
