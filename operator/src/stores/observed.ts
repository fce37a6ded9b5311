import type { ResourceKind } from '../kubernetes/api.ts';
import type { Component } from './names.ts';
import type { StoreResource } from './read-store.ts';

/** An object of a name that the operator uses, whoever made it; as much of it as decisions need. */
export interface ObservedObject {
  /** one of the constants of `kubernetes/resources.ts` itself, never a copy */
  readonly resource: ResourceKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** counts what is desired, where the API server does: not for accounts, ConfigMaps and Services */
  readonly generation?: number;
  /** the store's name by its label; `undefined`: not made by an operator */
  readonly store: string | undefined;
  /** UID of the owner that controls it */
  readonly controller: string | undefined;
  readonly deleting: boolean;
  readonly objectHash: string | undefined;
  readonly configHash: string | undefined;
}

export interface Told {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export interface ObservedDeployment extends ObservedObject {
  readonly generation: number;
  readonly observedGeneration: number;
  /** `spec.replicas` */
  readonly wanted: number;
  readonly replicas: number;
  readonly updated: number;
  readonly ready: number;
  readonly available: number;
  /** of the pods it makes now */
  readonly templateHash: string | undefined;
  readonly progressing: Told | undefined;
  readonly availability: Told | undefined;
  /** why pods cannot be made */
  readonly replicaFailure: Told | undefined;
}

export interface Ended {
  readonly reason: string;
  /** the end of the container's log where it ended by an error */
  readonly message: string;
  readonly exitCode: number;
}

export interface ObservedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly store: string | undefined;
  readonly component: Component | undefined;
  readonly node: string | undefined;
  readonly ip: string | undefined;
  readonly phase: string;
  readonly deleting: boolean;
  readonly ready: boolean;
  readonly restarts: number;
  readonly image: string | undefined;
  readonly configHash: string | undefined;
  readonly templateHash: string | undefined;
  /** ms since the epoch */
  readonly createdAt: number;
  /** ms since the epoch; `undefined`: the container does not run */
  readonly runningSince: number | undefined;
  /** `PodScheduled` */
  readonly scheduled: Told | undefined;
  /** what the container waits for */
  readonly waiting: { readonly reason: string; readonly message: string } | undefined;
  /** how the container ended last */
  readonly ended: Ended | undefined;
}

export interface TakenOver {
  /** who had it, in words */
  readonly from: string;
  /** ms since the epoch */
  readonly time: number;
}

/** What `GET :8578/status` of a pod says. */
export interface ServiceReport {
  /** `NAMESPACE/NAME` */
  readonly store: string;
  /** of the storage that it found; `undefined`: none yet */
  readonly storageID: string | undefined;
  /** whose lease of the storage was over, so that this store took it over */
  readonly takenOver?: TakenOver | undefined;
  readonly version: string;
  readonly ready: boolean;
  /** why it is not ready */
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** `undefined`: this pod does not reap; times in ms since the epoch */
  readonly reaper:
    | {
        readonly lastCompleted: number | undefined;
        readonly lastError: string | undefined;
        /** why its passes remove nothing; `undefined`: they do */
        readonly waiting?: { readonly until: number | undefined } | undefined;
      }
    | undefined;
}

/** A pod's answer, or why there is none, in words. */
export type PodReport = { readonly report: ServiceReport } | { readonly unreachable: string };

/** An apply that the API server refused, and its words. What it could not answer at all is no refusal. */
export interface Refusal {
  readonly resource: ResourceKind;
  readonly name: string;
  /** `Forbidden`, `Invalid`, … */
  readonly reason: string;
  readonly message: string;
}

/** Everything that decisions about one store are made from. */
export interface ObservedStore {
  readonly store: StoreResource;
  readonly gateway: ObservedDeployment | undefined;
  readonly reaper: ObservedDeployment | undefined;
  /** those of the store's Deployments */
  readonly pods: readonly ObservedPod[];
  /**
   * Objects that bear the store's label and, so that nobody else's are taken over, those that have a name the store needs.
   * The two Deployments are among them.
   */
  readonly objects: readonly ObservedObject[];
  /** by UID of the pod; of pods that were asked */
  readonly reports: ReadonlyMap<string, PodReport>;
  /** by UID of the pod: the message of its latest Event that a volume could not be attached or mounted */
  readonly mountFailures: ReadonlyMap<string, string>;
  /**
   * By name of the Deployment: the message of the latest `FailedCreate` Event of its ReplicaSets, where those were asked for.
   * The Deployment's own `ReplicaFailure` keeps the words of the first failure, whatever came later.
   */
  readonly creationFailures?: ReadonlyMap<string, string>;
  /** of the latest attempt to apply what is desired */
  readonly refusals: readonly Refusal[];
}
