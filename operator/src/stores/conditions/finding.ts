/** Why a condition has its status. The names are documented, as people write alerts on them. */
export type Reason =
  // The store is well.
  | 'Ready'
  | 'FewerPods'
  | 'PodsAvailable'
  | 'Reaping'
  | 'StorageAgrees'
  | 'StorageTakenOver'
  | 'CertificatesNotPublished'
  | 'CertificateNotMade'
  | 'NotNeeded'
  | 'AllInjected'
  | 'NoPods'
  // Worker pods have no sidecar of the store, or not the one of now.
  | 'InjectionOff'
  | 'InjectionNotReady'
  | 'PodsMissed'
  | 'PodsOutdated'
  | 'EvictionDidNotHelp'
  // The store changes by itself.
  | 'Creating'
  | 'Starting'
  | 'RollingOut'
  | 'FirstPass'
  | 'NoReport'
  | 'Deleting'
  // The resource asks for something that is not possible.
  | 'InvalidSpec'
  | 'StorageNotSupported'
  | 'RetentionNotSupported'
  | 'PrefixNotAllowed'
  // The cluster refuses.
  | 'NameTaken'
  | 'NamespaceTerminating'
  | 'OperatorForbidden'
  | 'QuotaExceeded'
  | 'PodSecurityRefused'
  | 'ServiceAccountMissing'
  | 'WebhookFailed'
  | 'Refused'
  // A pod does not run.
  | 'ClaimMissing'
  | 'ClaimUnbound'
  | 'Unschedulable'
  | 'SecretMissing'
  | 'MountFailed'
  | 'ImagePullFailed'
  | 'ContainerRefused'
  | 'NotStarting'
  | 'RolloutStalled'
  // A pod runs and ends.
  | 'OutOfMemory'
  | 'Crashing'
  // A pod runs and cannot use its storage.
  | 'StorageOwnedByAnotherStore'
  | 'StorageInUse'
  | 'IdentityMissing'
  | 'StorageReplaced'
  | 'BucketMissing'
  | 'StorageDenied'
  | 'StorageFull'
  | 'StorageUnavailable'
  | 'ClockDifference'
  | 'ClockUnconfirmed'
  // A pod runs and cannot authenticate callers.
  | 'CertificateMissing'
  | 'TokenKeysMissing'
  // A pod runs and cannot be polled, or does not do its work.
  | 'PodUnreachable'
  | 'PassFailed'
  | 'PassLate';

/** What a predicate found. */
export interface Finding {
  readonly reason: Reason;
  /** a sentence, with advice */
  readonly message: string;
}

/** Finds one thing that is wrong with the subject; `undefined`: that thing is right. */
export type Predicate<Subject> = (subject: Subject) => Finding | undefined;

/** The finding of the first predicate that has a finding. The predicate that explains most comes first. */
export function firstFinding<Subject>(
  predicates: readonly Predicate<Subject>[],
  subject: Subject,
): Finding | undefined {
  return firstOf(predicates, (predicate) => predicate(subject));
}

/** The finding about the first item for which there is a finding. */
export function firstOf<Item>(items: readonly Item[], predicate: Predicate<Item>): Finding | undefined {
  for (const item of items) {
    const finding = predicate(item);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

/** A condition's status and why. */
export interface Verdict extends Finding {
  readonly status: 'True' | 'False' | 'Unknown';
}

export function yes(reason: Reason, message: string): Verdict {
  return { status: 'True', reason, message };
}

export function no({ reason, message }: Finding): Verdict {
  return { status: 'False', reason, message };
}

export function unknown({ reason, message }: Finding): Verdict {
  return { status: 'Unknown', reason, message };
}

/** Reasons of states that end by themselves. An Event about such a state is no warning. */
export const PASSING: ReadonlySet<string> = new Set<Reason>([
  'Creating',
  'Starting',
  'RollingOut',
  'FirstPass',
  'NoReport',
  'Deleting',
]);
