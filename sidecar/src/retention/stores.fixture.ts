import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { pino } from 'pino';
import { type StartedStore, someBytes, type TestStore } from '../drivers/conformance/subject.ts';
import { startInFolder } from '../drivers/filesystem/folder.fixture.ts';
import { Metrics } from '../operations/metrics.ts';
import { clockOfNewStore } from '../storage-records/clock/clock.fixture.ts';
import { OwnershipGuard } from '../storage-records/ownership/ownership-guard.ts';
import { Reaper, type ReaperSettings } from './reaper.ts';

export const EXPIRED = [
  'expires-20200101T000000Z-30d',
  'expires-20200102T000000Z-30d',
  'expires-20200102T000000Z-12s',
];
export const LIVING = ['expires-20900101T000000Z-30d', 'expires-20900101T000000Z-3650d'];
/** Nothing that this service names; it never deletes in them. */
export const FOREIGN = [
  'expires-20200101',
  'expires-20200101T000000Z-720h',
  'expires-20200230T000000Z-30d',
  'backup',
  '.hidden',
];

export const ON_EACH_DRIVER: [string, () => Promise<StartedStore>][] = [
  [
    'memory',
    async () => {
      const driver = new MemoryDriver(64 * 1024 * 1024);
      return { driver, stop: () => driver.close() };
    },
  ],
  ['filesystem', startInFolder],
];

/** The parts that work on a store, as the service composes them. @param look where it matters whose the store is */
export function partsOn(store: TestStore, look: () => Promise<string> = async () => 'test/test') {
  const { driver } = store;
  const metrics = new Metrics({ requests: () => 0, bytes: () => 0 });
  const ownership = new OwnershipGuard(look, 60_000);
  const log = pino({ level: 'silent' });
  return { driver, ...clockOfNewStore(driver), ownership, metrics, clockToleranceMs: 0, log };
}

export function reaperOn(store: TestStore, settings: Partial<ReaperSettings> = {}): Reaper {
  return new Reaper(partsOn(store), { intervalMs: 3_600_000, clockToleranceMs: 0, ...settings });
}

/** Names of payloads. */
export function objectsIn(root: string, count: number): string[] {
  const digest = (number: number) => `sha256:${number.toString(16).padStart(64, '0')}`;
  return Array.from({ length: count }, (_, index) => `${root}/orders/common/${digest(index)}/${digest(0)}`);
}

/** Three objects of 1, 2 and 3 bytes in each root, the identity beside them; all their names. */
export async function fill(store: TestStore, roots: readonly string[]): Promise<string[]> {
  const names = roots.flatMap((root) => objectsIn(root, 3));
  await Promise.all(names.map((name, index) => store.put(name, someBytes((index % 3) + 1))));
  return names.sort();
}
