import type { LargePayloadStoreStatus } from '@largepayload/crds';
import type { RecordedEvent } from '../kubernetes/event-recorder.ts';
import { PASSING } from './conditions/finding.ts';
import type { Condition } from './read-store.ts';

/** An Event to record on the store. */
export type Transition = Omit<RecordedEvent, 'action'>;

/** characters, as the API server demands */
const LONGEST_NOTE = 1_024;

/** Events for conditions whose status or reason changed. Several conditions with one reason give one Event. */
export function transitions(
  before: LargePayloadStoreStatus,
  after: LargePayloadStoreStatus,
): readonly Transition[] {
  const changed = (after.conditions ?? []).filter((condition) =>
    isNews(conditionOf(before, condition.type), condition),
  );
  const byReason = new Map<string, Transition>();
  for (const condition of changed) {
    if (!byReason.has(condition.reason)) byReason.set(condition.reason, transition(condition));
  }
  return [...byReason.values()];
}

function conditionOf({ conditions }: LargePayloadStoreStatus, type: string): Condition | undefined {
  return conditions?.find((each) => each.type === type);
}

function isNews(before: Condition | undefined, after: Condition): boolean {
  if (before?.status === after.status && before.reason === after.reason) return false;
  // A new store with `ttl: Forever` was made to remove nothing.
  if (before === undefined && after.reason === 'NotNeeded') return false;
  // A beginning needs no Event, unless it follows a state that was well.
  return !PASSING.has(after.reason) || before?.status === 'True';
}

/** The condition is True, and a person should look at the store. */
const TRUE_BUT_NOT_WELL: ReadonlySet<string> = new Set(['FewerPods', 'StorageTakenOver']);

function transition({ status, reason, message }: Condition): Transition {
  const isWell = (status === 'True' && !TRUE_BUT_NOT_WELL.has(reason)) || PASSING.has(reason);
  return { type: isWell ? 'Normal' : 'Warning', reason, note: shortened(message) };
}

function shortened(text: string): string {
  return text.length > LONGEST_NOTE ? `${text.slice(0, LONGEST_NOTE - 1)}…` : text;
}
