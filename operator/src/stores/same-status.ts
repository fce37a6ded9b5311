import type { LargePayloadStoreStatus } from '@largepayload/crds';
import { hashValue } from './stable-hash.ts';

/** Passes of the reaper may end every second, and each write of a status reaches all watchers. */
const TIME_BETWEEN_WRITES_MS = 60_000;

/** Whether a decided status has no change that is worth a write. Only the fields that it has are compared. */
export function sameStatus(written: LargePayloadStoreStatus, decided: LargePayloadStoreStatus): boolean {
  return (
    hashValue(comparable(written, decided)) === hashValue(comparable(decided, decided)) &&
    isNear(written, decided)
  );
}

function comparable(status: LargePayloadStoreStatus, { conditions }: LargePayloadStoreStatus) {
  const { observedGeneration, storageID, endpoint, replicas = 0, selector } = status;
  const judged = conditions?.map(({ type }) => status.conditions?.find((each) => each.type === type) ?? null);
  return { observedGeneration, storageID, endpoint, replicas, selector, conditions: judged };
}

function isNear(written: LargePayloadStoreStatus, decided: LargePayloadStoreStatus): boolean {
  const [before, after] = [written, decided].map(({ retention }) => retention?.lastCompletedTime);
  if (before === undefined || after === undefined) return before === after;
  return Math.abs(Date.parse(after) - Date.parse(before)) < TIME_BETWEEN_WRITES_MS;
}
