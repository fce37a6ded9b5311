import { SERVICES } from '../../kubernetes/resources.ts';
import type { Situation } from '../conditions/component-view.ts';
import type { ObservedStore } from '../observed.ts';
import {
  appliedObjects,
  but,
  edited,
  NOW,
  type statusReport,
  wellStore,
  withPods,
  withReports,
} from '../situation.fixture.ts';
import { desiredFor, ON_A_VOLUME, ON_S3, store } from '../stores.fixture.ts';

/** By condition: its status and reason, such as `False BucketMissing`. */
export interface Expected {
  readonly Ready: string;
  readonly GatewayAvailable: string;
  readonly ReaperHealthy: string;
  readonly RetentionSafe: string;
}

export interface Case {
  /** the circumstance, as the end of a sentence */
  readonly when: string;
  readonly situation: Situation;
  readonly expected: Expected;
}

export const WELL: Expected = {
  Ready: 'True Ready',
  GatewayAvailable: 'True PodsAvailable',
  ReaperHealthy: 'True Reaping',
  RetentionSafe: 'True StorageAgrees',
};

/** The error of a storage that cannot be used. */
export const unavailable = (message: string) => ({ code: 'storage_unavailable', message });

/** Nothing works, and never did, for one reason. */
export function failing(reason: string): Expected {
  const failed = `False ${reason}`;
  return {
    Ready: failed,
    GatewayAvailable: failed,
    ReaperHealthy: failed,
    RetentionSafe: 'Unknown NoReport',
  };
}

export const FOREVER = { ...ON_S3, retention: { ttl: 'Forever' }, reaper: undefined };
export const GOOGLE = { ...ON_S3, storage: { gcs: { bucket: 'payloads', prefix: '' } } };

export const well = wellStore();
export const onVolume = wellStore(ON_A_VOLUME);

export const startingGateway = (change = {}, base = well) =>
  withPods(base, 'gateway', { ready: false, ...change });
export const allReports = (situation: Situation, report: ReturnType<typeof statusReport>) =>
  withReports(withReports(situation, 'gateway', report), 'reaper', report);
export const notReadyAtAll = (report: ReturnType<typeof statusReport>) =>
  allReports(withPods(startingGateway(), 'reaper', { ready: false }), report);
export const blocked = (message: string) =>
  edited({}, { replicaFailure: { status: 'True', reason: 'FailedCreate', message } });
export const withoutNewPod = (situation: Situation) =>
  but(situation, { pods: situation.observed.pods.filter(({ name }) => name !== 'orders-gateway-new') });
export const spec = (fields: Record<string, unknown>, metadata = {}): Situation => {
  const situation = { ...well, desired: desiredFor(fields, metadata) };
  return but(situation, { store: store(fields, metadata) });
};
export const nothingYet = (fields: Record<string, unknown> = ON_S3): Situation => ({
  desired: desiredFor(fields),
  now: NOW,
  observed: {
    store: store(fields),
    gateway: undefined,
    reaper: undefined,
    pods: [],
    objects: [],
    reports: new Map(),
    eventMessages: new Map(),
    refusals: [],
  },
});
export const remembering = (situation: Situation, status: unknown): Situation =>
  but(situation, { store: store(ON_S3, {}, status) });
export const inTheWay = (name: string, resource = SERVICES): Situation => {
  const situation = nothingYet();
  const [object] = appliedObjects(situation.desired);
  const foreign = {
    ...(object as ObservedStore['objects'][number]),
    resource,
    name,
    store: undefined,
    controller: undefined,
  };
  return but(situation, { objects: [foreign] });
};
