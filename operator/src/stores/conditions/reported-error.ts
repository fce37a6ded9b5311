import type { ReadFailure, Reason, ReasonName } from '@largepayload/crds';
import { type Component, TLS_SECRET } from '../names.ts';
import type { ObservedPod } from '../observed.ts';
import type { StoreResource } from '../read-store.ts';
import {
  accountOf,
  correctCredentials,
  correctIssuer,
  credentialKeysOf,
  identityText,
  placeOfData,
  restartCommand,
  secretOf,
  takeAnotherPlace,
} from './advice.ts';
import { type ComponentView, reportOf } from './component-view.ts';
import type { Finding } from './finding.ts';
import { quote } from './quote.ts';

/** Why a running pod cannot use its storage, as its status report has it. */
export interface ReportedError {
  readonly store: StoreResource;
  readonly pod: ObservedPod;
  readonly component: Component;
  readonly error: ReadFailure;
  /** why the namespace has no certificate, for people */
  readonly certificateProblem?: string | undefined;
}

/** `undefined`: the pod reports no error, or is ending. */
export function reportedFinding(view: ComponentView, pod: ObservedPod): Finding | undefined {
  const error = reportOf(view, pod)?.error;
  if (error === undefined) return undefined;
  const { observed, certificateProblem } = view.situation;
  return findingOfError({ store: observed.store, pod, component: view.component, error, certificateProblem });
}

/** The error as a condition shows it; `undefined` for a pod that is ending. */
export function findingOfError(reported: ReportedError): Finding | undefined {
  const { code, reason } = reported.error;
  if (code === 'draining') return undefined;
  if (reason === undefined) return (BY_CODE.get(code) ?? unavailable)(reported);
  const finding = BY_REASON[reason.name] as (reported: ReportedError, reason: Reason) => Finding;
  return finding(reported, reason);
}

const BY_REASON: {
  readonly [Name in ReasonName]: (reported: ReportedError, reason: Reason<Name>) => Finding;
} = {
  JustStarted: ({ component }) => starting(`the ${component} has just begun to look at the storage`),

  WaitsForGateway: ({ component }, { record }) =>
    starting(
      record === 'store.json'
        ? `the ${component} waits until a gateway pod has reached the storage and made it this store's`
        : `the ${component} waits until a gateway pod has taken the storage into use`,
    ),

  WaitsForStorage: ({ component }, { holder, state }) => {
    const before = {
      ending: `it was used by ${holder}, which may be ending`,
      ended: `it was used by ${holder}, which has ended`,
      unreadable: 'lease.json cannot be read, and counts as over',
    }[state];
    return starting(
      `the ${component} waits until the storage is free, which takes three minutes at most: ${before}`,
    );
  },

  StorageOwnedByAnotherStore: ({ store }, { owner }) => ({
    reason: 'StorageOwnedByAnotherStore',
    message: `${placeOfData(store)} belongs to the store ${quote(owner)}, and nothing is stored or removed here; ${takeAnotherPlace(store)}`,
  }),

  StorageInUse: ({ store }, { holder, since, shareIn }) => {
    const where = { here: 'here too', there: 'there too', both: 'in both' }[shareIn];
    return {
      reason: 'StorageInUse',
      message: `${placeOfData(store)} is in use by ${holder} since ${since}, and nothing is stored or removed here; ${takeAnotherPlace(store)}; or, to share it on purpose, say storage.shared: true ${where} (spec.storage.shared)`,
    };
  },

  PrefixNotAllowed: ({ store, error }) => ({
    reason: 'PrefixNotAllowed',
    message: `${placeOfData(store)} is no place for a store: ${quote(error.message)}; ${takeAnotherPlace(store)}`,
  }),

  IdentityMissing: ({ store }) => ({
    reason: 'IdentityMissing',
    message: `store.json, which says whose ${placeOfData(store)} is, has gone from it: somebody emptied it, a lifecycle rule did, or it is another one; bring it back${identityText(store)}, and the pods go on by themselves (to begin an empty store on purpose: delete this one and make it again)`,
  }),

  StorageReplaced: ({ store }) => ({
    reason: 'StorageReplaced',
    message: `${placeOfData(store)} is not the storage with this store's payloads: a store of the same name began there (store.json has another id than status.storageID), so nothing is stored or removed there; put back what was edited, or copy the store's data there, store.json included${identityText(store)}; to begin in that storage on purpose, delete this store and make it again`,
  }),

  BucketMissing: ({ store }) => ({
    reason: 'BucketMissing',
    message: `${placeOfData(store)} does not exist; create it, and the pods go on by themselves (a wrong name cannot be edited: delete this store and make it again with the right one)`,
  }),

  ClockBehind: ({ store, pod }) => ({
    reason: 'ClockDifference',
    message: `the clock of node ${pod.node ?? 'unknown'} (pod ${pod.name}) is behind the time that the store had reached; until it is right, that pod stores no payloads: look at NTP (chrony, systemd-timesyncd) on the node; if it is right, and the store's time is wrong: kubectl -n ${store.namespace} exec ${pod.name} -- payload-store accept-clock`,
  }),

  ClockDifference: (reported, { direction }) => clockDifference(reported, direction),

  CredentialsFileMissing: (reported, { key }) => {
    const { store, component, pod } = reported;
    const secret = secretOf(store, component);
    if (secret === undefined) return denied(reported);
    return {
      reason: 'SecretMissing',
      message: `the Secret ${secret} (spec.${component}.credentialsSecretRef) of namespace ${pod.namespace} has no key ${quote(key)}; give it the keys ${credentialKeysOf(store)}, and within two minutes the pod goes on by itself`,
    };
  },

  CredentialsRefused: ({ store, component }, { explanation }) => ({
    reason: 'StorageDenied',
    message: `the ${component} gets no credentials: ${quote(explanation)}; this is about the role of ${accountOf(store, component)}, not about the bucket's policy. A role, trust policy or association that is put right is seen within a minute; after the account was given one for the first time, make the pods anew by ${restartCommand(store, component)}`,
  }),

  AccessDenied: (reported) => {
    const secret = secretOf(reported.store, reported.component);
    if (secret === undefined) return denied(reported);
    return denied(
      reported,
      `they are in Secret ${secret} (spec.${reported.component}.credentialsSecretRef); once that is allowed, the pod goes on by itself within a minute`,
    );
  },

  CertificateMissing: ({ pod, error, certificateProblem }) => {
    const advice =
      certificateProblem === undefined
        ? `Secret ${TLS_SECRET} of namespace ${pod.namespace} has it, or will have it soon, and two minutes later the pod goes on by itself`
        : `it cannot be made: ${quote(certificateProblem)}`;
    return {
      reason: 'CertificateMissing',
      message: `pod ${pod.name} has no usable certificate (${quote(error.message)}); ${advice}`,
    };
  },

  TokenKeysMissing: ({ store, pod, error }, { issuer }) => ({
    reason: 'TokenKeysMissing',
    message: `pod ${pod.name} has no keys of the issuer ${quote(issuer)} to verify tokens with: ${quote(error.message)}; ${correctIssuer(store, issuer)}`,
  }),
};

/** For errors without a reason. A code that is not here is of a storage that cannot be used now. */
const BY_CODE: ReadonlyMap<string, (reported: ReportedError) => Finding> = new Map([
  ['clock_difference', (reported) => clockDifference(reported)],
  ['storage_denied', (reported) => denied(reported)],
  ['storage_full', full],
]);

/** No fault: the pod goes on by itself. */
function starting(message: string): Finding {
  return { reason: 'Starting', message };
}

/** Without how far, which changes all the time. */
function clockDifference(
  { pod }: ReportedError,
  direction: Reason<'ClockDifference'>['direction'] = 'unknown',
): Finding {
  const where = { ahead: 'ahead of', behind: 'behind', unknown: 'from' }[direction];
  return {
    reason: 'ClockDifference',
    message: `the clock of node ${pod.node ?? 'unknown'} (pod ${pod.name}) is too far ${where} the storage's; until it is right, that pod neither stores nor removes payloads: look at NTP (chrony, systemd-timesyncd) on the node, and at the storage's own clock`,
  };
}

function denied(
  { store, component, error }: ReportedError,
  advice = correctCredentials(store, component),
): Finding {
  return {
    reason: 'StorageDenied',
    message: `the storage refuses the ${component}: ${quote(error.message)}; ${advice}`,
  };
}

function full({ error }: ReportedError): Finding {
  return {
    reason: 'StorageFull',
    message: `the storage is full: ${quote(error.message)}; make room, or enlarge it`,
  };
}

function unavailable({ pod, error }: ReportedError): Finding {
  return {
    reason: 'StorageUnavailable',
    message: `pod ${pod.name} cannot use the storage: ${quote(error.message)}`,
  };
}
