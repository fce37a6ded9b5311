import { textAt } from '@largepayload/crds';
import type { KubernetesApi, KubernetesObject } from '../kubernetes/api.ts';
import { POD_EVENTS } from '../kubernetes/resources.ts';

const MOST_EVENTS = 500;

export interface EventSelection {
  readonly namespace: string;
  readonly fieldSelector: string;
  readonly reasons: readonly string[];
  /** the name of what they are about */
  readonly about?: RegExp;
}

/** The message of the latest Event of that kind. @throws ApiError */
export async function latestEvent(
  api: KubernetesApi,
  { namespace, fieldSelector, reasons, about = /(?:)/ }: EventSelection,
  signal: AbortSignal,
): Promise<string | undefined> {
  const selection = { resource: POD_EVENTS, namespace, fieldSelector };
  const { items } = await api.list(selection, { limit: MOST_EVENTS }, signal);
  const [latest] = items
    .filter(({ reason }) => reasons.includes(String(reason)))
    .filter(({ involvedObject }) => about.test(textAt(involvedObject, 'name') ?? ''))
    .sort((one, other) => timeOf(other) - timeOf(one));
  return latest === undefined ? undefined : String(latest.message);
}

function timeOf({ lastTimestamp, eventTime, metadata }: KubernetesObject): number {
  return Date.parse(String(lastTimestamp ?? eventTime ?? metadata.creationTimestamp)) || 0;
}
