/** Why a condition is as it is. Documented names: people write alerts on them. */
export type Reason =
  // It is well.
  | 'Ready'
  | 'FewerPods'
  | 'PodsAvailable'
  | 'Reaping'
  | 'StorageAgrees'
  | 'StorageTakenOver'
  | 'NotNeeded'
  // It takes its time.
  | 'Creating'
  | 'Starting'
  | 'RollingOut'
  | 'FirstPass'
  | 'NoReport'
  | 'Deleting'
  // The resource asks for what cannot be.
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
  // A pod does not get to run.
  | 'ClaimMissing'
  | 'ClaimUnbound'
  | 'Unschedulable'
  | 'SecretMissing'
  | 'MountFailed'
  | 'ImagePullFailed'
  | 'ContainerRefused'
  | 'NotStarting'
  | 'RolloutStalled'
  // It runs and ends.
  | 'OutOfMemory'
  | 'Crashing'
  // It runs and cannot use its storage.
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
  // It runs and cannot be asked, or does not do its work.
  | 'PodUnreachable'
  | 'PassFailed'
  | 'PassLate';

/** What a predicate has to say. */
export interface Finding {
  readonly reason: Reason;
  /** a sentence that says what to do */
  readonly message: string;
}

/** Speaks when it knows why something is wrong. */
export type Predicate<Subject> = (subject: Subject) => Finding | undefined;

/** What the first predicate that speaks says: they are ordered from what explains most. */
export function firstFinding<Subject>(
  predicates: readonly Predicate<Subject>[],
  subject: Subject,
): Finding | undefined {
  for (const predicate of predicates) {
    const finding = predicate(subject);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

/** States that end by themselves: worth an Event, not a warning. */
export const PASSING: ReadonlySet<string> = new Set<Reason>([
  'Creating',
  'Starting',
  'RollingOut',
  'FirstPass',
  'NoReport',
  'Deleting',
]);
