import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { type Logger, pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { never, TestStore } from '../../drivers/conformance/subject.ts';
import { startInFolder } from '../../drivers/filesystem/folder.fixture.ts';
import { beginStore, joinStore } from './begin-store.ts';

const OURS = { namespace: 'payments', name: 'orders' };
const ROOM_FOR_IDENTITY = 96;

function quietLog(): Logger {
  return pino({ level: 'silent' });
}

test('a store that is known is written to, and one that takes no writes is not begun', async () => {
  const driver = new MemoryDriver(1_000);
  const store = new TestStore({ driver, stop: () => driver.close() });
  await beginStore(driver, OURS, quietLog(), never());
  expect(await store.get('write-check')).toBeUndefined();
  await beginStore(driver, OURS, quietLog(), never());
  expect(await store.get('write-check')).toBeDefined();
  const denied = new Error('access denied');
  const reallyBegin = driver.begin.bind(driver);
  driver.begin = async (name, facts, options) => {
    if (options.keepExisting) return await reallyBegin(name, facts, options);
    throw denied;
  };
  await expect(beginStore(driver, OURS, quietLog(), never())).rejects.toBe(denied);
});

test('the driver may try the checksum in a store that is new, and in one that is known', async () => {
  const driver = new MemoryDriver(1_000);
  const tryChecksum = vi.fn(async (_name: string) => false);
  const trying = Object.assign(driver, { tryChecksum });
  for (let start = 1; start <= 2; start += 1) {
    await beginStore(trying, OURS, quietLog(), never());
    expect(tryChecksum).toHaveBeenCalledTimes(start);
    expect(tryChecksum.mock.lastCall?.[0]).toBe('write-check');
  }
  tryChecksum.mockRejectedValue(new Error('no answer'));
  await beginStore(trying, OURS, quietLog(), never());
});

test('a full one serves what it has, which is told', async () => {
  const driver = new MemoryDriver(ROOM_FOR_IDENTITY);
  const log = quietLog();
  const warn = vi.spyOn(log, 'warn');
  await beginStore(driver, OURS, log, never());
  await beginStore(driver, OURS, log, never());
  expect(warn).toHaveBeenLastCalledWith(
    { reason: expect.stringContaining('at most 96 bytes') },
    expect.stringContaining('the storage is full'),
  );
});

test('a reaper joins a store that was begun, by the storage that it knows', async () => {
  const driver = new MemoryDriver(1_000);
  const claimedFile = join(await mkdtemp(join(tmpdir(), 'claim-')), 'claimed');
  const joined = () => joinStore(driver, OURS, never(), { claimedFile });
  await expect(joined()).rejects.toThrow('has no store.json yet');
  await beginStore(driver, OURS, quietLog(), never(), { claimedFile, newStorageID: 'first' });
  await joined();
  await writeFile(claimedFile, 'payments/orders/first\n');
  await joined();
  await writeFile(claimedFile, 'payments/orders/second');
  await expect(joined()).rejects.toThrow(
    "says payments/orders/first, and the store's payloads are in payments/orders/second",
  );
  await driver.delete(['store.json'], never());
  await expect(joined()).rejects.toThrow('store.json has gone');
  await rm(dirname(claimedFile), { recursive: true });
});

test('a folder needs no trial', async () => {
  const started = await startInFolder();
  const store = new TestStore(started);
  for (let start = 0; start < 2; start += 1)
    await beginStore(started.driver, OURS, quietLog(), never(), {}, { needsTrials: false });
  expect(await store.get('write-check')).toBeUndefined();
  await store.stop();
});
