import { textAt } from '@largepayload/crds';
import { INJECT_LABEL, STORE_ANNOTATION } from '../../injection/names.ts';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { keptText } from '../kept-text.ts';

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
    labels: only(INJECT_LABEL, keptText(metadata, 'labels', INJECT_LABEL)),
    annotations: only(STORE_ANNOTATION, keptText(metadata, 'annotations', STORE_ANNOTATION)),
  };
}

function only(key: string, value: string | undefined): Texts {
  return value === undefined ? NONE : { [key]: value };
}
