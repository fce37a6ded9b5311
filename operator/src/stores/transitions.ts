import type { LargePayloadStoreStatus } from '@largepayload/crds';
import type { RecordedEvent } from '../kubernetes/event-recorder.ts';
import { PASSING } from './conditions/finding.ts';
import { type Condition, conditionOf } from './read-store.ts';

/** An Event to record on the store. */
export type Transition = Omit<RecordedEvent, 'action'>;

/** characters, as the API server demands */
const LONGEST_NOTE = 1_024;

/** Events for conditions whose status or reason changed. Several conditions with one reason give one Event. */
export function transitions(
  before: LargePayloadStoreStatus,
  after: LargePayloadStoreStatus,
): readonly Transition[] {
  const byReason = new Map<string, Transition>();
  for (const condition of after.conditions ?? []) {
    const { type, reason } = condition;
    if (byReason.has(reason) || !isNews(conditionOf(before, type), condition)) continue;
    byReason.set(reason, transition(condition));
  }
  return [...byReason.values()];
}

function isNews(before: Condition | undefined, after: Condition): boolean {
  if (before?.status === after.status && before.reason === after.reason) return false;
  if (before === undefined && EXPECTED_AT_FIRST.has(after.reason)) return false;
  // The pods of a CronJob come and go.
  if (before?.status === 'True' && after.status === 'True' && after.type === 'InjectionCurrent') return false;
  // A state that ends by itself needs no Event, unless the store was well before.
  return !PASSING.has(after.reason) || before?.status === 'True';
}

/** A new store with `ttl: Forever` was made to remove nothing, and no pod can use a store before it is there. */
const EXPECTED_AT_FIRST: ReadonlySet<string> = new Set(['NotNeeded', 'NoPods', 'InjectionOff']);

/** The condition is not True, and nothing is wrong: an outdated sidecar works, and injection is off on purpose. */
const WELL_THOUGH_NOT_TRUE: ReadonlySet<string> = new Set(['PodsOutdated', 'InjectionOff']);

/** The condition is True, and a person should look at the store. */
const TRUE_BUT_NOT_WELL: ReadonlySet<string> = new Set([
  'FewerPods',
  'StorageTakenOver',
  'CertificatesNotPublished',
  'CertificateNotMade',
]);

function transition({ status, reason, message }: Condition): Transition {
  const isWell =
    (status === 'True' && !TRUE_BUT_NOT_WELL.has(reason)) ||
    PASSING.has(reason) ||
    WELL_THOUGH_NOT_TRUE.has(reason);
  const note = message.length > LONGEST_NOTE ? `${message.slice(0, LONGEST_NOTE - 1)}…` : message;
  return { type: isWell ? 'Normal' : 'Warning', reason, note };
}
