import { at, textAt } from '@largepayload/crds';
import { INJECT_LABEL, STORE_ANNOTATION } from '../../injection/names.ts';
import type { KubernetesObject } from '../../kubernetes/api.ts';

type Texts = Readonly<Record<string, string>>;

/** What is kept of every pod of the cluster, of which there may be many thousands: about 300 bytes with its key. */
export interface SeenPod {
  readonly uid: string;
  readonly deleting: boolean;
  /** only those that select a store */
  readonly labels: Texts;
  readonly annotations: Texts;
}

const NONE: Texts = {};

/** Needs metadata only. */
export function mapSeenPod({ metadata }: KubernetesObject): SeenPod {
  return {
    uid: textAt(metadata, 'uid') ?? '',
    deleting: textAt(metadata, 'deletionTimestamp') !== undefined,
    labels: only(INJECT_LABEL, at(metadata, 'labels', INJECT_LABEL)),
    annotations: only(STORE_ANNOTATION, at(metadata, 'annotations', STORE_ANNOTATION)),
  };
}

/** An empty label is a label. */
function only(key: string, value: unknown): Texts {
  return typeof value === 'string' ? { [key]: value } : NONE;
}
