import type { WorkflowHandle } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import proto from '@temporalio/proto';
import { expect } from 'vitest';

export type History = temporal.api.history.v1.IHistory;
export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

const { EventType } = proto.temporal.api.enums.v1;
type EventName = keyof typeof EventType;

const limit = 100_000;

/**
 * Asserts that a workflow's history has less than 100 KB, by Temporal's count and by its encoded events.
 * @returns Temporal's count
 */
export async function assertSmallHistory(handle: WorkflowHandle): Promise<number> {
  const { historySize } = await handle.describe();
  const history = await handle.fetchHistory();
  expect(historySize).toBeGreaterThan(0);
  expect(historySize).toBeLessThan(limit);
  expect(proto.temporal.api.history.v1.History.encode(history).finish().length).toBeLessThan(limit);
  return historySize ?? 0;
}

/** The events of that type, oldest first. */
export function eventsOf(history: History, name: EventName): HistoryEvent[] {
  return (history.events ?? []).filter((event) => event.eventType === EventType[name]);
}

/** The sizes of the external payloads that the references in the history declare. */
export function externalSizes(history: History): number[] {
  const sizes: number[] = [];
  JSON.stringify(history, (name, value) => {
    if (name === 'externalPayloads')
      sizes.push(...value.map((details: { sizeBytes: string }) => Number(details.sizeBytes)));
    return value;
  });
  return sizes;
}

/** The retries of workflow tasks and activities in a history. */
export interface Retries {
  readonly workflowTasksFailed: number;
  readonly workflowTasksTimedOut: number;
  /** The highest attempt of any workflow task; failures from the second on leave no events. */
  readonly workflowTaskAttempt: number;
  /** The highest attempt of any activity. */
  readonly activityAttempt: number;
}

export function retriesOf(history: History): Retries {
  const highest = (attempts: (number | null | undefined)[]) =>
    Math.max(0, ...attempts.map((attempt) => attempt ?? 0));
  return {
    workflowTasksFailed: eventsOf(history, 'EVENT_TYPE_WORKFLOW_TASK_FAILED').length,
    workflowTasksTimedOut: eventsOf(history, 'EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT').length,
    workflowTaskAttempt: highest(
      eventsOf(history, 'EVENT_TYPE_WORKFLOW_TASK_SCHEDULED').map(
        (event) => event.workflowTaskScheduledEventAttributes?.attempt,
      ),
    ),
    activityAttempt: highest(
      eventsOf(history, 'EVENT_TYPE_ACTIVITY_TASK_STARTED').map(
        (event) => event.activityTaskStartedEventAttributes?.attempt,
      ),
    ),
  };
}
