import { FOREVER } from '@largepayload/crds';
import { PASSING } from '../../stores/conditions/finding.ts';
import { type Condition, conditionOf, readStore, type StoreResource } from '../../stores/read-store.ts';
import { type Finding, ok, problem, unknown, warning } from '../finding.ts';
import { valueIn } from '../reading.ts';
import type { StoreSituation } from '../situation.ts';

/** Which check a reason belongs to, where it is not that of its condition. */
const IDENTITY = [
  'StorageOwnedByAnotherStore',
  'StorageInUse',
  'IdentityMissing',
  'StorageReplaced',
  'StorageTakenOver',
];
const CLOCK = ['ClockDifference', 'ClockUnconfirmed'];

type StoreCheck = (store: StoreSituation) => readonly Finding[];

/** A check of what the operator wrote into the status. Without a store, or a status, it has nothing to say. */
function ofStatus(check: (resource: StoreResource) => readonly Finding[]): StoreCheck {
  return ({ resource }) => {
    const object = valueIn(resource);
    if (object === undefined) return [];
    const store = readStore(object);
    return conditionOf(store.status, 'Ready') === undefined ? [] : check(store);
  };
}

/** Whether the operator has written the status, and for the latest edit. */
export const checkStatus: StoreCheck = ({ resource }) => {
  const object = valueIn(resource);
  if (object === undefined) return [];
  const store = readStore(object);
  if (conditionOf(store.status, 'Ready') === undefined)
    return [problem('the operator has written no status of the store: does it run?', describe(store))];
  const { observedGeneration: seen = 0 } = store.status;
  if (seen < store.generation)
    return [warning('the status is older than the last edit of the store', describe(store))];
  return [];
};

/** What the operator alone knows of injection; `checkPods` looks at the pods itself. */
export const checkInjection = ofStatus((store) => {
  const wrong = withReason(store, ['InjectionNotReady', 'EvictionDidNotHelp']);
  return wrong === undefined ? [] : [problemOf(store, wrong)];
});

export const checkGateway = ofStatus((store) => {
  const condition = conditionOf(store.status, 'GatewayAvailable');
  const endpoint = store.status.endpoint === undefined ? '' : `, at ${store.status.endpoint}`;
  return judged(store, condition, (message) => `${message}${endpoint}`);
});

export const checkStorage = ofStatus((store) => {
  const condition = conditionOf(store.status, 'Ready');
  if (condition !== undefined && [...IDENTITY, ...CLOCK].includes(condition.reason)) return [];
  return judged(store, condition, (message) => message);
});

export const checkIdentity = ofStatus((store) => {
  const wrong = withReason(store, IDENTITY);
  if (wrong !== undefined) return [problemOf(store, wrong)];
  const { storageID } = store.status;
  return storageID === undefined ? [] : [ok(`the storage is this store's: ${storageID}`)];
});

export const checkClock = ofStatus((store) => {
  const wrong = withReason(store, CLOCK);
  if (wrong !== undefined) return [problemOf(store, wrong)];
  const isSafe = conditionOf(store.status, 'RetentionSafe')?.status === 'True';
  return isSafe ? [ok('no clock differs from that of the storage')] : [];
});

export const checkReaper = ofStatus((store) => {
  const { lastCompletedTime } = store.status.retention ?? {};
  const last = lastCompletedTime === undefined ? '' : `, last at ${lastCompletedTime}`;
  return judged(store, conditionOf(store.status, 'ReaperHealthy'), (message) => `${message}${last}`);
});

export const checkRetention = ofStatus((store) => {
  const condition = conditionOf(store.status, 'RetentionSafe');
  if (condition !== undefined && [...IDENTITY, ...CLOCK].includes(condition.reason)) return [];
  const ttl = store.spec?.retention.ttl;
  const kept =
    ttl === FOREVER ? 'payloads are kept for ever' : `payloads are kept ${ttl} after their last put`;
  return judged(store, condition, () => kept);
});

/** Whether Temporal is asked before payloads go, where the store wants that. */
export const checkTemporal = ofStatus((store) => {
  const address = store.spec?.retention.temporal?.address;
  if (address === undefined) return [];
  const refused = withReason(store, ['RetentionNotSupported']);
  return [
    refused === undefined
      ? ok(`Temporal at ${address} is asked before payloads go`)
      : problemOf(store, refused),
  ];
});

function judged(
  store: StoreResource,
  condition: Condition | undefined,
  text: (message: string) => string,
): readonly Finding[] {
  if (condition === undefined) return [];
  const { status, message } = condition;
  if (status === 'True') return [ok(text(message))];
  if (status === 'Unknown') return [unknown(message, describe(store))];
  return [problemOf(store, condition)];
}

/** Messages of conditions have the advice in them. What ends by itself is no problem. */
function problemOf(store: StoreResource, { reason, message, status }: Condition): Finding {
  const text = `${reason}: ${message}`;
  const isWarning = status === 'True' || PASSING.has(reason);
  return isWarning ? warning(text, describe(store)) : problem(text, describe(store));
}

function withReason({ status }: StoreResource, reasons: readonly string[]): Condition | undefined {
  return status.conditions?.find(({ reason }) => reasons.includes(reason));
}

function describe({ namespace, name }: StoreResource): string {
  return `kubectl --namespace ${namespace} describe largepayloadstore ${name}`;
}
