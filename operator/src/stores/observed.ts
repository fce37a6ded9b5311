import type { ReadStatusReport } from '@largepayload/crds';
import type { ResourceKind } from '../kubernetes/api.ts';
import type { Component } from './names.ts';
import type { StoreResource } from './read-store.ts';

/** The fields that decisions need of an object with a name that the operator uses, whether the operator made it or not. */
export interface ObservedObject {
  /** a constant of `kubernetes/resources.ts` itself, never a copy */
  readonly resource: ResourceKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** absent for kinds that have none: ServiceAccounts, ConfigMaps and Services */
  readonly generation?: number;
  /** the store's name by its label; `undefined`: no operator made it */
  readonly store: string | undefined;
  /** of the store: `namespace`, except for certificates that are published to other namespaces */
  readonly storeNamespace: string;
  /** UID of the owner that controls it */
  readonly controller: string | undefined;
  readonly deleting: boolean;
  readonly objectHash: string | undefined;
  readonly configHash: string | undefined;
}

/** A condition of an API object. */
export interface ObservedCondition {
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
  /** of the template that it makes pods from now */
  readonly templateHash: string | undefined;
  readonly progressing: ObservedCondition | undefined;
  /** why Kubernetes cannot make pods */
  readonly replicaFailure: ObservedCondition | undefined;
}

export interface Ended {
  readonly reason: string;
  /** the end of the container's log, where the container ended by an error */
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
  readonly scheduled: ObservedCondition | undefined;
  /** why the container does not run yet */
  readonly waiting: { readonly reason: string; readonly message: string } | undefined;
  /** how the container ended last */
  readonly ended: Ended | undefined;
}

/** A poll of a pod: its status report, or why the operator got none, for people. */
export type PodReport = { readonly report: ReadStatusReport } | { readonly unreachable: string };

/** An apply that the API server refused. A request that it did not answer is no refusal. */
export interface Refusal {
  readonly resource: ResourceKind;
  readonly namespace: string;
  readonly name: string;
  readonly message: string;
}

/** All that decisions about one store are made from. */
export interface ObservedStore {
  readonly store: StoreResource;
  readonly gateway: ObservedDeployment | undefined;
  readonly reaper: ObservedDeployment | undefined;
  /** the pods of the store's Deployments */
  readonly pods: readonly ObservedPod[];
  /**
   * Objects with the store's label, and objects of others that have a name the store needs, so that none of those is
   * taken over. The two Deployments are among them.
   */
  readonly objects: readonly ObservedObject[];
  /** by UID of the pod; of pods that were polled */
  readonly reports: ReadonlyMap<string, PodReport>;
  /**
   * Messages of the latest Events. By UID of a pod: about a volume that cannot be attached or mounted. By name of a Deployment:
   * `FailedCreate` of its ReplicaSets, as the Deployment's own `ReplicaFailure` keeps the message of the first failure.
   */
  readonly eventMessages: ReadonlyMap<string, string>;
  /** of the latest attempt to apply the desired objects */
  readonly refusals: readonly Refusal[];
}
