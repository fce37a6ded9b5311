import type { LargePayloadStoreStatus } from '@largepayload/crds';
import { conditionOf } from './read-store.ts';
import { hashValue } from './stable-hash.ts';

/** Passes of the reaper may end every second, and each write of a status reaches all watchers. */
const TIME_BETWEEN_WRITES_MS = 60_000;

/** Whether a decided status has no change that is worth a write. Only the fields and conditions that it has are compared. */
export function sameStatus(written: LargePayloadStoreStatus, decided: LargePayloadStoreStatus): boolean {
  const { retention, ...parts } = decided;
  return (
    hashValue(partsOf(written, parts)) === hashValue(partsOf(decided, parts)) &&
    isNear(written.retention?.lastCompletedTime, retention?.lastCompletedTime)
  );
}

function partsOf(status: LargePayloadStoreStatus, { conditions, ...fields }: LargePayloadStoreStatus) {
  const judged = conditions?.map(({ type }) => conditionOf(status, type) ?? null);
  const values = Object.keys(fields).map((name) => status[name as keyof typeof fields] ?? 0);
  return [judged, ...values];
}

function isNear(before: string | undefined, after: string | undefined): boolean {
  if (after === undefined) return true;
  return before !== undefined && Math.abs(Date.parse(after) - Date.parse(before)) < TIME_BETWEEN_WRITES_MS;
}
