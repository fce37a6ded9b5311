import type { ReaperReport } from '@largepayload/crds';
import type { ClockUnconfirmed } from '../storage-records/clock/clock-memory.ts';

/** Why nothing is deleted now, although the clocks agree. */
export type DeletionWait = NonNullable<ReaperReport['waiting']>;

export function deletionWaitOf({ mark, until }: ClockUnconfirmed, now: number = Date.now()): DeletionWait {
  const why =
    mark === undefined
      ? 'the storage has no time that is known for sure (no clock.json: an earlier version wrote it, or it was lost)'
      : `it is far ahead of ${isoSecond(mark)}, the latest time that is known for sure (clock.json): the store rested, or the clock is wrong`;
  return {
    reason: 'clock_unconfirmed',
    message: `this machine's clock shows ${isoSecond(now)}: ${why}; nothing is deleted until the clock is confirmed: if it is right, run payload-store accept-clock (for a bucket on a gateway, as on a reaper it holds until that ends); by itself deletion goes on at about ${isoSecond(until)}, if the clocks agree until then`,
    until: isoSecond(until),
  };
}

export function isoSecond(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
