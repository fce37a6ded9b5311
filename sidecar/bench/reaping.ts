import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pino } from 'pino';
import type { Driver } from '../src/drivers/driver.ts';
import { FilesystemDriver } from '../src/drivers/filesystem/filesystem-driver.ts';
import { objectPath } from '../src/drivers/filesystem/object-paths.ts';
import { formatKey } from '../src/keys/key.ts';
import { Metrics } from '../src/operations/metrics.ts';
import { Reaper } from '../src/retention/reaper.ts';
import { emptyMemory } from '../src/storage-records/clock/clock.fixture.ts';
import { ClockGuard } from '../src/storage-records/clock/clock-guard.ts';
import { OwnershipGuard } from '../src/storage-records/ownership/ownership-guard.ts';

const DAY = 24 * 60 * 60 * 1_000;
const STORED = 100_000;
const EXPIRED = 1_000;
const FILES_AT_ONCE = 64;

export interface ReapingCosts {
  /** seconds of a pass that finds 1,000 of 100,000 expired */
  readonly some: number;
  /** seconds of a pass that finds the other 99,000 expired, scaled to 100,000 */
  readonly all: number;
}

/** What a pass of the reaper costs when little is expired, beside one that removes everything. */
export async function reapingCosts(folder: string): Promise<ReapingCosts> {
  const driver = await FilesystemDriver.start(folder);
  const now = Math.floor(Date.now() / DAY) * DAY;
  await fillWindow(folder, now - DAY, EXPIRED, 'expired');
  await fillWindow(folder, now + 30 * DAY, STORED - EXPIRED, 'live');
  const some = await timedPass(driver);
  await driver.close();
  const realNow = Date.now;
  Date.now = () => realNow() + 40 * DAY;
  try {
    const later = await FilesystemDriver.start(folder);
    const rest = await timedPass(later);
    await later.close();
    return { some, all: (rest * STORED) / (STORED - EXPIRED) };
  } finally {
    Date.now = realNow;
  }
}

/** Seconds of one pass, whose clock is believed. */
export async function timedPass(driver: Driver): Promise<number> {
  const nothing = { requests: () => 0, bytes: () => 0 };
  const reaper = new Reaper(
    {
      driver,
      clock: new TrustingClock(driver, 0, emptyMemory(0)),
      clockKeeper: { refresh: async () => undefined, lagEnd: undefined },
      ownership: new OwnershipGuard(async () => 'bench/bench', 0),
      metrics: new Metrics(nothing),
      log: pino({ level: 'silent' }),
    },
    { intervalMs: DAY, clockToleranceMs: 0 },
  );
  const started = performance.now();
  await reaper.pass(new AbortController().signal);
  return (performance.now() - started) / 1_000;
}

/** The pass that is to find everything expired runs under a clock that was moved on. */
class TrustingClock extends ClockGuard {
  override async check(): Promise<void> {}
  override async assertTrusted(): Promise<void> {}
}

async function fillWindow(folder: string, end: number, count: number, seed: string): Promise<void> {
  const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const queue = Array.from({ length: count }, (_, index) => index).values();
  await Promise.all(
    Array.from({ length: FILES_AT_ONCE }, async () => {
      for (const index of queue) {
        const key = formatKey({
          window: { end, ttl: 30 * DAY },
          namespace: 'bench',
          keyPrefix: undefined,
          digest: digestOf(`${seed}-${index}`),
          metadataHash: digestOf('metadata'),
        });
        const path = objectPath(folder, key);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, 'payload');
      }
    }),
  );
}
