import type { StoreSpec } from './read-store.ts';

/** Whether payloads are to be held that a reaper of this version would remove. */
export function asksToHold({ retention }: StoreSpec): boolean {
  return retention.temporal !== undefined;
}
