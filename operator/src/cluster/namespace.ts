import { at, listAt, timeAt } from '@largepayload/crds';
import { INJECT_LABEL, STORE_ANNOTATION } from '../injection/names.ts';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { keptText } from './kept-text.ts';

/** What injection needs to know of a namespace: thousands may be watched. */
export interface ObservedNamespace {
  /** only those that select a store */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** ms since the epoch */
  readonly createdAt: number;
  /** when the label was last written, or its writer wrote another field; `undefined`: not known, or there is none */
  readonly labelledAt?: number;
}

export function mapNamespace({ metadata }: KubernetesObject): ObservedNamespace {
  const label = keptText(metadata, 'labels', INJECT_LABEL);
  const annotation = keptText(metadata, 'annotations', STORE_ANNOTATION);
  const time = label === undefined ? undefined : labelledAt(metadata);
  return {
    labels: label === undefined ? {} : { [INJECT_LABEL]: label },
    annotations: annotation === undefined ? {} : { [STORE_ANNOTATION]: annotation },
    createdAt: timeAt(metadata, 'creationTimestamp') ?? 0,
    ...(time !== undefined && { labelledAt: time }),
  };
}

/** When our label of an object was last written, or its writer wrote another field: ms since the epoch. `undefined`: not known */
export function labelledAt(metadata: unknown): number | undefined {
  const times = listAt(metadata, 'managedFields')
    .filter(({ fieldsV1 }) => at(fieldsV1, 'f:metadata', 'f:labels', `f:${INJECT_LABEL}`) !== undefined)
    .flatMap((entry) => timeAt(entry, 'time') ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}
