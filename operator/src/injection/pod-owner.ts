import { listAt, textAt } from '@largepayload/crds';

/** What makes a pod anew when it has gone. */
export interface PodOwner {
  /** of the controller that the pod names: `ReplicaSet`, `StatefulSet`, `Job`, … */
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly uid: string;
  /** Name of the Deployment or Rollout that made the ReplicaSet, as its pods' labels show it. */
  readonly workload: string | undefined;
}

/** The label by which the maker of a ReplicaSet keeps its templates apart, and the kind of the maker. */
const TEMPLATE_LABELS: Readonly<Record<string, string>> = {
  'pod-template-hash': 'deployment',
  'rollouts-pod-template-hash': 'rollout',
};

/** UTF-16 units; the longest group and version of a kind have 317. The API server takes any text, and owners of all pods are kept. */
const LONGEST_TEXT = 320;

/** The controller of a pod; `undefined`: there is none, or it has names that no object has. Needs metadata only. */
export function ownerOf(metadata: unknown): PodOwner | undefined {
  const reference = listAt(metadata, 'ownerReferences').find(({ controller }) => controller === true);
  if (reference === undefined) return undefined;
  const text = (field: string) => textAt(reference, field) ?? '';
  const owner = { kind: text('kind'), apiVersion: text('apiVersion'), name: text('name'), uid: text('uid') };
  if (Object.values(owner).some(({ length }) => length > LONGEST_TEXT)) return undefined;
  return { ...owner, workload: workloadOf(owner.kind, owner.name, metadata) };
}

/**
 * The owner as pods of one namespace name it. Anybody may write the UID of an owner of another namespace into a pod: that must not count
 * there.
 */
export function keyOfOwner(podNamespace: string, { uid }: Pick<PodOwner, 'uid'>): string {
  return `${podNamespace}/${uid}`;
}

function workloadOf(kind: string, name: string, metadata: unknown): string | undefined {
  if (kind !== 'ReplicaSet') return undefined;
  for (const [label, maker] of Object.entries(TEMPLATE_LABELS)) {
    const hash = textAt(metadata, 'labels', label);
    if (hash !== undefined && name.endsWith(`-${hash}`)) return `${maker}/${name.slice(0, -hash.length - 1)}`;
  }
  return undefined;
}

/** A DNS subdomain, as names of objects are. */
const NAME = /^[a-z0-9][-a-z0-9.]{0,252}$/;

/** What makes a pod anew, with a sidecar: a command, or a phrase. For people. */
export function restartAdvice(namespace: string, pod: string, owner: PodOwner | undefined): string {
  if (owner === undefined) return 'delete the pod and make it again';
  const { kind, workload, name } = owner;
  // An owner reference may have any text as its name, which must not get into a command.
  if (!NAME.test(name)) return `kubectl -n ${namespace} delete pod ${pod}`;
  if (kind === 'Job') return 'the next Job has one; delete this one to run it again';
  if (workload?.startsWith('rollout/'))
    return `kubectl argo rollouts -n ${namespace} restart ${workload.slice(8)}`;
  if (workload !== undefined) return `kubectl -n ${namespace} rollout restart ${workload}`;
  if (kind === 'StatefulSet' || kind === 'DaemonSet')
    return `kubectl -n ${namespace} rollout restart ${kind.toLowerCase()}/${name}`;
  return `kubectl -n ${namespace} delete pod ${pod}`;
}
