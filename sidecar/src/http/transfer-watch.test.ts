import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import type { Demand } from './fair-budget.ts';
import { type Expiry, type TransferSettings, TransferWatch } from './transfer-watch.ts';

const PATIENT = { progressPeriodMs: 60_000, progressBytes: 1 };

test('an expired transfer is reported once, and counts until its owner ends it', async () => {
  const watch = new TransferWatch({ progressPeriodMs: 1, progressBytes: 1 }, () => undefined);
  const reasons: string[] = [];
  const transfer = watch.begin({ peer: 'a', units: 1, onExpired: (reason) => reasons.push(reason) });
  transfer.wait();
  await sleep(1_300);
  expect(reasons).toEqual(['slow']);
  expect(watch.size).toBe(1);
  transfer.end();
  expect(watch.size).toBe(0);
});

test('while others wait the slowest end, as many as are needed', async () => {
  await using transfers = watched({ units: 15 });
  transfers.begin({ peer: 'fast', units: 10 }, 1_000_000);
  for (const peer of ['slow', 'slow', 'slow']) transfers.begin({ peer, units: 10 }, 4_000);
  transfers.begin({ peer: 'slower', units: 10 }, 0);
  // While no other transfer waits, none ends.
  await sleep(2_800);
  expect(transfers.ended).toEqual([]);
  transfers.othersWait();
  await eventually('there is room', () => transfers.ended.length >= 2);
  await sleep(600);
  expect(transfers.ended).toEqual(['slower', 'slow']);
});

test('while others wait a peer keeps its share, however fast it is, and no more', async () => {
  await using transfers = watched({ units: 50, excess: { busy: 25 } });
  for (let index = 0; index < 5; index += 1) transfers.begin({ peer: 'busy', units: 10 }, 1_000_000);
  transfers.begin({ peer: 'other', units: 10 }, 1_000_000);
  await sleep(1_800);
  transfers.othersWait();
  await eventually('the excess is gone', () => transfers.ended.length >= 3);
  await sleep(600);
  expect(transfers.ended).toEqual(['busy', 'busy', 'busy']);
});

/** Transfers that move so many bytes a second, and what others want of their places once they wait. */
function watched({ units, excess = {} }: { units: number; excess?: Readonly<Record<string, number>> }) {
  let since = Number.POSITIVE_INFINITY;
  const ended: string[] = [];
  const moving: NodeJS.Timeout[] = [];
  const freed = (peer?: string) => 10 * ended.filter((other) => other === (peer ?? other)).length;
  const demand = (): Demand => ({
    since,
    units: units - freed(),
    excessOf: (peer) => Math.max(0, (excess[peer] ?? 0) - freed(peer)),
  });
  const watch = new TransferWatch(PATIENT, demand);
  return {
    ended,
    othersWait: () => {
      since = performance.now() - 1_000;
    },
    begin: (settings: Pick<TransferSettings, 'peer' | 'units'>, bytes: number) => {
      const onExpired = (reason: Expiry) => {
        expect(reason).toBe('contended');
        ended.push(settings.peer);
        transfer.end();
      };
      const transfer = watch.begin({ ...settings, onExpired });
      let last = performance.now();
      const move = () => {
        const now = performance.now();
        if (bytes > 0) transfer.moved((bytes * (now - last)) / 1_000);
        last = now;
        transfer.wait();
      };
      transfer.wait();
      moving.push(setInterval(move, 100));
    },
    async [Symbol.asyncDispose]() {
      for (const timer of moving) clearInterval(timer);
    },
  };
}
