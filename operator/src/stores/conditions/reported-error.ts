import { accountName } from '../desired/service-accounts.ts';
import { type Component, componentName } from '../names.ts';
import type { ObservedPod } from '../observed.ts';
import type { StoreResource } from '../read-store.ts';
import { type Finding, firstFinding, type Predicate } from './finding.ts';
import { quote } from './quote.ts';

/** The service says so where it asked STS, Pod Identity, a metadata service or a file for credentials, in vain. */
export const SOURCE_FAILED = 'cannot get credentials: ';

/** What a running pod says is wrong with its storage. */
export interface ReportedProblem {
  readonly store: StoreResource;
  readonly pod: ObservedPod;
  readonly component: Component;
  /** of the service's error table */
  readonly code: string;
  readonly words: string;
}

/** No fault of anybody's: it has just begun, or waits for another. */
const waits: Predicate<ReportedProblem> = ({ component, words }) => {
  if (words.includes('this process has just begun')) {
    return { reason: 'Starting', message: `the ${component} has just begun to look at the storage` };
  }
  const [, before] = /waits for the storage for at most \d+ s: (.*)/.exec(words) ?? [];
  if (before !== undefined) {
    return {
      reason: 'Starting',
      message: `the ${component} waits until the storage is free, which takes three minutes at most: ${before}`,
    };
  }
  if (/waits until a gateway of the store takes|has no lease.json yet/.test(words)) {
    return {
      reason: 'Starting',
      message: `the ${component} waits until a gateway pod has taken the storage into use`,
    };
  }
  if (!words.includes('has no store.json yet')) return undefined;
  return {
    reason: 'Starting',
    message: `the ${component} waits until a gateway pod has reached the storage and made it this store's`,
  };
};

const ownedByAnother: Predicate<ReportedProblem> = ({ store, words }) => {
  const [, owner] = /belongs to the store (\S+), not to/.exec(words) ?? [];
  if (owner === undefined) return undefined;
  return {
    reason: 'StorageOwnedByAnotherStore',
    message: `${storageOf(store)} belongs to the store ${quote(owner)}, and nothing is stored or removed here; ${anotherPlace(store)}`,
  };
};

const inUse: Predicate<ReportedProblem> = ({ store, words }) => {
  const [, holder, sharing] =
    /in use by (.+? since \S+?);.*(say storage\.shared: true .*)$/.exec(words) ?? [];
  if (holder === undefined) return undefined;
  return {
    reason: 'StorageInUse',
    message: `${storageOf(store)} is in use by ${holder}, and nothing is stored or removed here; ${anotherPlace(store)}; or, to share it on purpose, ${sharing} (spec.storage.shared)`,
  };
};

const prefixNotAllowed: Predicate<ReportedProblem> = ({ store, words }) =>
  words.includes('no store may be begun here')
    ? {
        reason: 'PrefixNotAllowed',
        message: `${storageOf(store)} is no place for a store: ${quote(words)}; ${anotherPlace(store)}`,
      }
    : undefined;

const identityMissing: Predicate<ReportedProblem> = ({ store, words }) =>
  words.includes('store.json has gone')
    ? {
        reason: 'IdentityMissing',
        message: `store.json, which says whose ${storageOf(store)} is, has gone from it: somebody emptied it, a lifecycle rule did, or it is another one; bring it back${identityText(store)}, and the pods go on by themselves (to begin an empty store on purpose: delete this one and make it again)`,
      }
    : undefined;

const replaced: Predicate<ReportedProblem> = ({ store, words }) =>
  words.includes("another storage than the store's")
    ? {
        reason: 'StorageReplaced',
        message: `${storageOf(store)} is not the storage with this store's payloads: a store of the same name began there (store.json has another id than status.storageID), so nothing is stored or removed there; put back what was edited, or copy the store's data there, store.json included${identityText(store)}; to begin in that storage on purpose, delete this store and make it again`,
      }
    : undefined;

/** What store.json has to say, for whoever has to write it again. */
function identityText({ namespace, name, status }: StoreResource): string {
  const id = status.storageID?.split('/')[2];
  return id === undefined ? '' : ` (it says ${JSON.stringify({ namespace, name, id })})`;
}

const bucketMissing: Predicate<ReportedProblem> = ({ store, words }) =>
  words.includes('does not exist; create it')
    ? {
        reason: 'BucketMissing',
        message: `${storageOf(store)} does not exist; create it, and the pods go on by themselves (a wrong name cannot be edited: delete this store and make it again with the right one)`,
      }
    : undefined;

const clockBehind: Predicate<ReportedProblem> = ({ store, words, pod }) => {
  const [, reached] = /behind (\S+), which the store had reached/.exec(words) ?? [];
  if (reached === undefined) return undefined;
  return {
    reason: 'ClockDifference',
    message: `the clock of node ${pod.node ?? 'unknown'} (pod ${pod.name}) is behind the time that the store had reached; until it is right, that pod stores no payloads: look at NTP (chrony, systemd-timesyncd) on the node; if it is right, and the store's time is wrong: kubectl -n ${store.namespace} exec ${pod.name} -- payload-store accept-clock`,
  };
};

const clockDifference: Predicate<ReportedProblem> = ({ code, words, pod }) => {
  if (code !== 'clock_difference' && !words.includes("this machine's clock")) return undefined;
  // How far changes all the time.
  const [direction] = /ahead of|behind/.exec(words) ?? ['from'];
  return {
    reason: 'ClockDifference',
    message: `the clock of node ${pod.node ?? 'unknown'} (pod ${pod.name}) is too far ${direction} the storage's; until it is right, that pod neither stores nor removes payloads: look at NTP (chrony, systemd-timesyncd) on the node, and at the storage's own clock`,
  };
};

const keyMissing: Predicate<ReportedProblem> = ({ store, component, pod, words }) => {
  const secret = store.spec?.[component]?.credentialsSecretRef?.name;
  const [, key] = /cannot read the credentials file \S*\/([^/\s]+): ENOENT/.exec(words) ?? [];
  if (secret === undefined || key === undefined) return undefined;
  return {
    reason: 'SecretMissing',
    message: `the Secret ${secret} (spec.${component}.credentialsSecretRef) of namespace ${pod.namespace} has no key ${key}; give it the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and within two minutes the pod goes on by itself`,
  };
};

const denied: Predicate<ReportedProblem> = (complaint) => {
  const { store, component, code, words } = complaint;
  if (code !== 'storage_denied') return undefined;
  const secret = store.spec?.[component]?.credentialsSecretRef?.name;
  // The credentials are good, and their rights are elsewhere.
  const wayOut =
    secret !== undefined && words.includes('access denied for')
      ? `they are in Secret ${secret} (spec.${component}.credentialsSecretRef); once that is allowed, the pod goes on by itself within a minute`
      : credentialsOf(complaint);
  return {
    reason: 'StorageDenied',
    message: `the storage refuses the ${component}: ${quote(words)}; ${wayOut}`,
  };
};

/** The storage was not asked, so that its policy has nothing to do with it. */
const identityRefused: Predicate<ReportedProblem> = ({ store, component, code, words }) => {
  const [, said] = words.split(SOURCE_FAILED);
  if (code !== 'storage_denied' || said === undefined) return undefined;
  const account =
    store.spec === undefined
      ? 'its ServiceAccount'
      : `ServiceAccount ${accountName(store.name, store.spec, component)}`;
  return {
    reason: 'StorageDenied',
    message: `the ${component} gets no credentials: ${quote(said)}; this is about the role of ${account}, not about the bucket's policy. A role, trust policy or association that is put right is seen within a minute; after the account was given one for the first time, make the pods anew by kubectl -n ${store.namespace} rollout restart deployment ${componentName(store.name, component)}`,
  };
};

const full: Predicate<ReportedProblem> = ({ code, words }) =>
  code === 'storage_full'
    ? {
        reason: 'StorageFull',
        message: `the storage is full: ${quote(words)}; make room, or enlarge it`,
      }
    : undefined;

const unavailable: Predicate<ReportedProblem> = ({ words, pod }) => ({
  reason: 'StorageUnavailable',
  message: `pod ${pod.name} cannot use the storage: ${quote(words)}`,
});

const PREDICATES = [
  waits,
  ownedByAnother,
  inUse,
  prefixNotAllowed,
  identityMissing,
  replaced,
  bucketMissing,
  clockBehind,
  clockDifference,
  keyMissing,
  identityRefused,
  denied,
  full,
  unavailable,
];

/** What a pod that is not ready says, as a condition says it; `undefined` for a pod that is ending. */
export function reportedFinding(complaint: ReportedProblem): Finding | undefined {
  if (complaint.code === 'draining') return undefined;
  return firstFinding(PREDICATES, complaint);
}

function storageOf({ spec }: StoreResource): string {
  const { s3, filesystem } = spec?.storage ?? {};
  if (s3 !== undefined) {
    const at = s3.endpoint === undefined ? '' : ` at ${s3.endpoint}`;
    const prefix = s3.prefix === '' ? '' : `, prefix ${s3.prefix},`;
    return `the bucket ${s3.bucket}${at}${prefix}`;
  }
  return filesystem === undefined ? 'the storage' : `the volume of claim ${filesystem.claimName}`;
}

/** Where payloads are kept cannot change. */
function anotherPlace({ spec }: StoreResource): string {
  const place = spec?.storage.filesystem === undefined ? 'bucket or prefix' : 'claim';
  return `delete this store and make it again with a ${place} of its own, as that cannot be edited`;
}

/** Where a component's credentials are, for who has to correct them. */
export function credentialsOf({ store, component }: Pick<ReportedProblem, 'store' | 'component'>): string {
  if (store.spec === undefined) return 'check its credentials';
  const secret = store.spec[component]?.credentialsSecretRef?.name;
  if (secret !== undefined) {
    return `the ${component}'s credentials are in Secret ${secret} (spec.${component}.credentialsSecretRef); correct that, and within two minutes it goes on by itself`;
  }
  const account = accountName(store.name, store.spec, component);
  const restart = `kubectl -n ${store.namespace} rollout restart deployment ${componentName(store.name, component)}`;
  return `spec.${component}.credentialsSecretRef names no Secret, so the ${component} has the cloud identity of ServiceAccount ${account}; give that the rights, and where it had no identity before, make its pods anew by ${restart}; or name a Secret`;
}
