import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { never, TestStore } from '../../drivers/conformance/subject.ts';
import { StorageError } from '../../errors/storage-error.ts';
import { ClockGuard } from './clock-guard.ts';
import { ClockKeeper } from './clock-keeper.ts';
import { ClockMemory } from './clock-memory.ts';
import { clockRules } from './clock-plausibility.ts';
import { parseClockRecord } from './clock-record.ts';

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

let driver: MemoryDriver;
let store: TestStore;
let stop: AbortController;
let running: Promise<void>[];
beforeEach(() => {
  driver = new MemoryDriver(16_384);
  store = new TestStore({ driver, stop: () => driver.close() });
  stop = new AbortController();
  running = [];
});
afterEach(end);

/** One process of a store in a bucket. @param ahead ms that its clock is ahead of the storage's, and of everybody else's */
function process({ ahead = 0, mayWrite = true, isNew = false } = {}) {
  const facts = { ttl: 12 * HOUR, reaperInterval: HOUR, clockToleranceMs: 60_000, storageHasClock: true };
  const memory = new ClockMemory(clockRules(facts));
  const seenBy = Object.assign(Object.create(driver), { currentTime: async () => Date.now() - ahead });
  const clock = new ClockGuard(seenBy, facts.clockToleranceMs, memory);
  const log = pino({ level: 'silent' });
  const warn = vi.spyOn(log, 'warn');
  const keeper = new ClockKeeper({ driver, clock, memory, log }, { mayWrite });
  if (isNew) keeper.beginNew();
  return { keeper, memory, warn };
}

function run(keeper: ClockKeeper): void {
  running.push(keeper.run(stop.signal));
}

async function end(): Promise<void> {
  stop.abort();
  await Promise.all(running);
}

const recorded = async () => parseClockRecord((await store.get('clock.json'))?.toString() ?? '');
const isRecorded = () => vi.waitUntil(recorded, { timeout: 10_000 });

test('what one process learned, the next one knows', async () => {
  const { keeper } = process({ isNew: true });
  const begun = Date.now();
  run(keeper);
  expect((await isRecorded()).mark).toBeGreaterThanOrEqual(begun);
  const next = process();
  expect(await next.keeper.refresh()).toBeUndefined();
  await next.keeper.assertMayPlace();
});

test('it is written at the end, too', async () => {
  const { keeper } = process({ isNew: true });
  run(keeper);
  await isRecorded();
  await driver.delete(['clock.json'], never());
  await end();
  expect(await recorded()).toBeDefined();
});

test('a process whose clock differs from the storage’s writes nothing, and moves no mark', async () => {
  const right = process({ isNew: true });
  run(right.keeper);
  const before = await isRecorded();
  const wrong = process({ ahead: YEAR });
  run(wrong.keeper);
  await expect(wrong.keeper.refresh()).rejects.toMatchObject({ code: 'clock_difference' });
  await expect(wrong.keeper.accept()).rejects.toMatchObject({ code: 'clock_difference' });
  await end();
  const after = await recorded();
  expect(after?.mark).toBeLessThan((before.mark ?? 0) + HOUR);
  expect(after?.seen).toBeLessThan(Date.now() + HOUR);
});

test('a storage that does not take it stops nothing, is told of once, and gets it later', async () => {
  const { keeper, warn } = process({ isNew: true });
  const reallyBegin = driver.begin.bind(driver);
  driver.begin = async () => {
    throw new StorageError('full', 'no space is left');
  };
  for (let time = 0; time < 3; time += 1) {
    const accepted = await keeper.accept();
    expect(accepted.written).toBe(false);
    await keeper.assertMayPlace();
    expect(await keeper.refresh()).toBeUndefined();
  }
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn).toHaveBeenCalledWith(
    { reason: 'no space is left' },
    expect.stringContaining('cannot be written'),
  );
  driver.begin = reallyBegin;
  run(keeper);
  expect((await isRecorded()).acceptances).toBe(3);
});

test.each(['', '{}', 'x'.repeat(5_000), '{"mark":"9999-01-01T00:00:00Z"}'])(
  'what is no record counts as none, and is written anew: %j',
  async (text) => {
    const { keeper, warn } = process();
    await store.put('clock.json', Buffer.from(text));
    expect(await keeper.refresh()).toMatchObject({ mark: undefined });
    await keeper.assertMayPlace();
    expect(await keeper.refresh()).toBeDefined();
    expect(warn).toHaveBeenCalledTimes(1);
    run(keeper);
    expect((await isRecorded()).mark).toBeUndefined();
  },
);

test('a reaper writes nothing', async () => {
  const { keeper } = process({ mayWrite: false, isNew: true });
  await keeper.refresh();
  expect(await keeper.accept()).toMatchObject({ mark: expect.any(String), written: false });
  expect(await recorded()).toBeUndefined();
});

test('PUTs are refused below the mark by more than is allowed, as long as it is not accepted', async () => {
  const { keeper, memory } = process({ isNew: true });
  await keeper.refresh();
  const record = memory.record({ wallTime: Date.now(), monotonicTime: performance.now() });
  const write = async (mark: number) => {
    const text = JSON.stringify({ ...record, mark: new Date(mark), seen: new Date(record.seen) });
    await store.put('clock.json', Buffer.from(text), { replace: true });
  };
  await write(Date.now() + 50_000);
  await process().keeper.assertMayPlace();
  await write(Date.now() + 120_000);
  const behind = process();
  await expect(behind.keeper.assertMayPlace()).rejects.toMatchObject({
    name: 'ClockBehindError',
    code: 'clock_difference',
    message: expect.stringMatching(/clock is 1(19|20)\.\d s behind .* payload-store accept-clock$/),
  });
  await behind.keeper.accept();
  await behind.keeper.assertMayPlace();
  await process().keeper.assertMayPlace();
});

test('a storage that does not answer takes no payload before the mark is known', async () => {
  const { keeper } = process({ isNew: true });
  const failure = new StorageError('unavailable', 'no answer');
  const open = vi.spyOn(driver, 'open').mockRejectedValue(failure);
  await expect(keeper.assertMayPlace()).rejects.toBe(failure);
  await expect(keeper.refresh()).rejects.toBe(failure);
  open.mockRestore();
  await keeper.assertMayPlace();
});
