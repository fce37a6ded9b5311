import type { StoreName } from '../injection/selection.ts';
import type { KubernetesObject } from '../kubernetes/api.ts';
import type { Objects, Reading } from './reading.ts';

/** Everything that was read of a cluster, and what was asked. */
export interface Situation {
  /** ms since the epoch, as the API server has it */
  readonly now: number;
  /** of the workers */
  readonly namespace: string;
  /** by `--store`; `undefined`: the labels name the stores */
  readonly asked: StoreName | undefined;
  readonly namespaceObject: Reading<KubernetesObject>;
  /** all of the cluster; read only where the namespace is not there */
  readonly namespaces: Reading<readonly string[]>;
  /** of the namespace */
  readonly pods: Reading<Objects>;
  readonly operator: Reading<KubernetesObject>;
  /** MutatingWebhookConfigurations that inject */
  readonly webhooks: Reading<readonly KubernetesObject[]>;
  /** EndpointSlices of the Service that the first of them names */
  readonly webhookEndpoints: Reading<readonly KubernetesObject[]>;
  readonly stores: readonly StoreSituation[];
}

/** What was read of one store and for its workers. */
export interface StoreSituation extends StoreName {
  readonly resource: Reading<KubernetesObject>;
  /** names of the stores in the namespace of this one; read only where it is not there */
  readonly others: Reading<readonly string[]>;
  /** the ConfigMap with the authorities, in the namespace of the store */
  readonly ownCa: Reading<KubernetesObject>;
  /** the one that its workers mount */
  readonly workersCa: Reading<KubernetesObject>;
  /** the MutatingAdmissionPolicy */
  readonly policy: Reading<KubernetesObject>;
  /** bindings of it */
  readonly bindings: Reading<readonly KubernetesObject[]>;
}

/** `NAME.NAMESPACE` */
export function storeText({ name, namespace }: StoreName): string {
  return `${name}.${namespace}`;
}
