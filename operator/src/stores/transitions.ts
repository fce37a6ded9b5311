import type { LargePayloadStoreStatus } from '@largepayload/crds';
import { PASSING } from './conditions/finding.ts';
import type { Condition } from './read-store.ts';

/** An Event to record on the store. */
export interface Transition {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** at most 1,024 characters, as the API server demands */
  readonly note: string;
}

const LONGEST_NOTE = 1_024;

/** What is worth an Event: conditions whose status or reason changed. The same news is told once, whichever conditions bring it. */
export function transitions(
  before: LargePayloadStoreStatus,
  after: LargePayloadStoreStatus,
): readonly Transition[] {
  const news = (after.conditions ?? []).filter((condition) =>
    isNews(conditionOf(before, condition.type), condition),
  );
  const told = new Map<string, Transition>();
  for (const condition of news) {
    if (!told.has(condition.reason)) told.set(condition.reason, transition(condition));
  }
  return [...told.values()];
}

function conditionOf({ conditions }: LargePayloadStoreStatus, type: string): Condition | undefined {
  return conditions?.find((each) => each.type === type);
}

function isNews(before: Condition | undefined, after: Condition): boolean {
  if (before?.status === after.status && before.reason === after.reason) return false;
  // That nothing is removed is what a new store was made for.
  if (before === undefined && after.reason === 'NotNeeded') return false;
  // That something begins is plain; that it began anew is not.
  return !PASSING.has(after.reason) || before?.status === 'True';
}

/** It goes on, and somebody should look. */
const TRUE_BUT_NOT_WELL: ReadonlySet<string> = new Set(['FewerPods', 'StorageTakenOver']);

function transition({ status, reason, message }: Condition): Transition {
  const isWell = (status === 'True' && !TRUE_BUT_NOT_WELL.has(reason)) || PASSING.has(reason);
  return { type: isWell ? 'Normal' : 'Warning', reason, note: shortened(message) };
}

function shortened(text: string): string {
  return text.length > LONGEST_NOTE ? `${text.slice(0, LONGEST_NOTE - 1)}…` : text;
}
