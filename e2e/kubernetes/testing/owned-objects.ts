import type { StoreBed } from './store-bed.ts';

export interface OwnedObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly generation?: number;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
}

const KINDS = 'serviceaccounts,configmaps,services,deployments,replicasets,pods,pdb,networkpolicies';

/** Everything in the bed's namespace that belongs to a store, pods and ReplicaSets too, as `KIND/NAME`. */
export async function objectsOf(bed: StoreBed, store: string): Promise<string[]> {
  return (await ownedObjects(bed, store)).map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort();
}

export async function ownedObjects(bed: StoreBed, store: string): Promise<OwnedObject[]> {
  const list = await bed.json<{ items: OwnedObject[] }>(
    'get',
    KINDS,
    `--selector=app.kubernetes.io/instance=${store}`,
  );
  return list.items;
}

/** What the operator applies for a store without a TTL that has reached its storage, by its configuration's name. */
export function appliedFor(store: string, configMap: string): string[] {
  const gateway = ['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service', 'ServiceAccount'];
  return [
    `ConfigMap/${store}-claimed`,
    `ConfigMap/${configMap}`,
    ...gateway.map((kind) => `${kind}/${store}-gateway`),
  ];
}

/** Whether a ConfigMap is one that pods of the store are started with; the other says that it has a storage. */
export function isConfiguration(name: string): boolean {
  return /-config-[0-9a-f]+$/.test(name);
}
