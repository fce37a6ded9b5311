/** A pod of an owner, as the plan needs it. */
export interface OwnerPod {
  /** `NAMESPACE/NAME` */
  readonly key: string;
  readonly uid: string;
  readonly isMissed: boolean;
  /** It may be evicted. */
  readonly isCandidate: boolean;
  /** ms since the epoch, whole seconds */
  readonly createdAt: number;
  /** It was seen ready. */
  readonly isReady: boolean;
}

/** The latest eviction of a pod of an owner. */
export interface Eviction {
  /** ms since the epoch, whole seconds, by the clock of the API server; not later than the eviction */
  readonly at: number;
  /** UIDs of the pods of the owner at that moment, as far as they are known */
  readonly known: ReadonlySet<string>;
}

export interface OwnerSituation {
  /** those in scope that are not ending */
  readonly pods: readonly OwnerPod[];
  readonly latest: Eviction | undefined;
  /** when the label of the namespace was written, ms since the epoch; `undefined`: not known */
  readonly labelledAt: number | undefined;
  /** An eviction was refused or failed a moment ago. */
  readonly isRefused: boolean;
  /** ms since the epoch, by the clock of the API server */
  readonly now: number;
}

/** The next step for an owner. */
export type Step =
  | { readonly kind: 'nothing' }
  /** the pod in the place of an evicted one was missed again */
  | { readonly kind: 'leaveAlone' }
  | { readonly kind: 'wait' }
  /** whether these pods are ready has to be known first */
  | { readonly kind: 'look'; readonly pods: readonly OwnerPod[] }
  | { readonly kind: 'evict'; readonly pod: OwnerPod };

type Predicate = (situation: OwnerSituation) => Step | undefined;

/**
 * Of this age a pod that is not ready is no reason to wait. A younger one may be there because of a rollout, or of an eviction that an
 * earlier process has not recorded.
 */
const YOUNG_MS = 600_000;

const nothingToHeal: Predicate = ({ pods }) =>
  pods.some(({ isCandidate }) => isCandidate) ? undefined : { kind: 'nothing' };

/** Another label is another try. */
const didNotHelp: Predicate = (situation) => {
  const { latest, labelledAt = 0 } = situation;
  if (latest === undefined || labelledAt > latest.at) return undefined;
  return replacements(situation).some(({ isMissed }) => isMissed) ? { kind: 'leaveAlone' } : undefined;
};

const refused: Predicate = ({ isRefused }) => (isRefused ? { kind: 'wait' } : undefined);

const replacementAwaited: Predicate = (situation) =>
  situation.latest !== undefined && replacements(situation).length === 0 ? { kind: 'wait' } : undefined;

const notReady: Predicate = (situation) => {
  const { pods, latest, now } = situation;
  const youngest = Math.min(now - YOUNG_MS, latest?.at ?? now);
  const isYoung = ({ createdAt }: OwnerPod) => createdAt >= youngest;
  const waitedFor = pods.filter((pod) => !pod.isMissed && isYoung(pod) && !pod.isReady);
  return waitedFor.length === 0 ? undefined : { kind: 'look', pods: waitedFor };
};

const evictOldest: Predicate = ({ pods }) => {
  const [pod] = pods
    .filter(({ isCandidate }) => isCandidate)
    .toSorted((one, other) => one.createdAt - other.createdAt || (one.key < other.key ? -1 : 1));
  return pod && { kind: 'evict', pod };
};

const PREDICATES: readonly Predicate[] = [
  nothingToHeal,
  didNotHelp,
  refused,
  replacementAwaited,
  notReady,
  evictOldest,
];

/** The first predicate that has a step decides. One pod of an owner is evicted at a time: the next when the one in its place is ready. */
export function planEviction(situation: OwnerSituation): Step {
  for (const predicate of PREDICATES) {
    const step = predicate(situation);
    if (step !== undefined) return step;
  }
  return { kind: 'nothing' };
}

function replacements({ pods, latest }: OwnerSituation): readonly OwnerPod[] {
  if (latest === undefined) return [];
  return pods.filter(({ createdAt, uid }) => createdAt >= latest.at && !latest.known.has(uid));
}
