import type { StoreResource } from '../read-store.ts';

/** A worker pod as messages name it. */
export interface NamedWorker {
  readonly namespace: string;
  readonly name: string;
  /** why it has no sidecar of the store, or why that is outdated; a part of a sentence for people */
  readonly why: string;
  /** what makes the pod anew; for people */
  readonly heal: string;
}

/** The pods that should have a sidecar of one store. Pods that are skipped on purpose, have finished or are ending do not count. */
export interface ObservedWorkers {
  readonly injected: number;
  /** without a sidecar, or with that of another store */
  readonly missed: number;
  readonly outdated: number;
  /** some of the missed ones */
  readonly missedPods: readonly NamedWorker[];
  /** some of the outdated ones */
  readonly outdatedPods: readonly NamedWorker[];
  /** some of the missed ones whose owner is left alone: the pod that replaced an evicted one was missed, too */
  readonly notHealed: readonly NamedWorker[];
}

/** All that the part of the status about workers depends on. */
export interface WorkerSituation {
  readonly store: StoreResource;
  /** `off`: this operator injects nothing and watches no worker */
  readonly workers: ObservedWorkers | 'off';
  /** why new pods get no sidecar of the store, for people; `undefined`: they get one, as far as is known */
  readonly problem: string | undefined;
  /** ms since the epoch */
  readonly now: number;
}
