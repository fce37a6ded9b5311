import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { all, never, someBytes, TestStore } from '../drivers/conformance/subject.ts';
import type { DeleteOutcome } from '../drivers/driver.ts';
import { ForeignStoreError } from '../errors/foreign-store-error.ts';
import { StorageError } from '../errors/storage-error.ts';
import { assertIdentity, writeIdentity } from '../storage-records/identity/identity.ts';
import { Reaper } from './reaper.ts';
import {
  EXPIRED,
  FOREIGN,
  fill,
  LIVING,
  ON_EACH_DRIVER,
  objectsIn,
  partsOn,
  reaperOn,
} from './stores.fixture.ts';

describe.each(ON_EACH_DRIVER)('on the %s driver', (_name, start) => {
  let store: TestStore;
  beforeEach(async () => {
    store = new TestStore(await start());
  });
  afterEach(async () => {
    vi.useRealTimers();
    await store.stop();
  });

  test('only what is in expired windows goes', async () => {
    await store.put('store.json', someBytes(10));
    const kept = await fill(store, [...LIVING, ...FOREIGN, 'blobs']);
    await fill(store, EXPIRED);
    await reaperOn(store).pass(never());
    expect((await store.names()).filter((name) => !name.startsWith('.payload-store/'))).toEqual(kept);
    expect(await store.holds('store.json', someBytes(10))).toBe(true);
    const windows = [...FOREIGN.filter((name) => name.startsWith('expires-')), ...LIVING];
    expect(await store.folders('expires-')).toEqual(windows.map((name) => `${name}/`).sort());
  });

  test('a pass over nothing, and a second one, do nothing', async () => {
    const kept = await fill(store, LIVING);
    const reaper = reaperOn(store);
    await reaper.pass(never());
    await reaper.pass(never());
    expect(await store.names()).toEqual(kept);
  });

  test("another store's windows are left alone, also when it takes the place of ours after a pass", async () => {
    const ours = { namespace: 'orders', name: 'payloads' };
    const parts = partsOn(store, () => assertIdentity(store.driver, ours, never()));
    const reaper = new Reaper(parts, { intervalMs: 1_000, clockToleranceMs: 0 });
    await writeIdentity(store.driver, ours, never());
    await reaper.pass(never());
    await store.driver.delete(['store.json'], never());
    await writeIdentity(store.driver, { namespace: 'others', name: 'theirs' }, never());
    const names = await fill(store, EXPIRED);
    await expect(reaper.pass(never())).rejects.toBeInstanceOf(ForeignStoreError);
    expect(await store.names()).toEqual(names);
  });

  test('the clock difference allowed between processes is waited for', async () => {
    const end = Math.ceil(Date.now() / 1_000) * 1_000 - 5_000;
    const text = new Date(end).toISOString().replace(/[-:]|\.\d{3}/g, '');
    const names = await fill(store, [`expires-${text}-12s`]);
    await reaperOn(store, { clockToleranceMs: 60_000 }).pass(never());
    expect(await store.names()).toEqual(names);
    await reaperOn(store, { clockToleranceMs: 0 }).pass(never());
    expect(await store.names()).toEqual([]);
  });

  test('what cannot be deleted is reported, and does not keep the others', async () => {
    await fill(store, [...EXPIRED, ...LIVING]);
    const [stuck = ''] = objectsIn(EXPIRED[0] ?? '', 1);
    const failure = new StorageError('unavailable', 'held by somebody');
    const reallyDelete = store.driver.delete.bind(store.driver);
    store.driver.delete = async (names, signal): Promise<DeleteOutcome> => {
      const { deleted, failed } = await reallyDelete(
        names.filter((name) => name !== stuck),
        signal,
      );
      return {
        deleted,
        failed: names.includes(stuck) ? [...failed, { name: stuck, error: failure }] : failed,
      };
    };
    await expect(reaperOn(store).pass(never())).rejects.toBe(failure);
    expect(await store.names()).toEqual([stuck, ...LIVING.flatMap((root) => objectsIn(root, 3))].sort());
  });

  test('a window that cannot be listed does not keep the others', async () => {
    await fill(store, EXPIRED);
    const failure = new StorageError('unavailable', 'no answer');
    const reallyList = store.driver.list.bind(store.driver);
    store.driver.list = (folder, signal) => {
      if (folder === `${EXPIRED[0]}/orders/`) throw failure;
      return reallyList(folder, signal);
    };
    await expect(reaperOn(store).pass(never())).rejects.toBe(failure);
    store.driver.list = reallyList;
    expect(await store.names()).toEqual(objectsIn(EXPIRED[0] ?? '', 3));
  });

  test('a window whose namespaces cannot be listed does not keep the others', async () => {
    await fill(store, EXPIRED);
    const failure = new StorageError('unavailable', 'no answer');
    const reallyList = store.driver.listLevel.bind(store.driver);
    store.driver.listLevel = (prefix, signal) => {
      if (prefix === `${EXPIRED[0]}/`) throw failure;
      return reallyList(prefix, signal);
    };
    await expect(reaperOn(store).pass(never())).rejects.toBe(failure);
    store.driver.listLevel = reallyList;
    expect(await store.names()).toEqual(objectsIn(EXPIRED[0] ?? '', 3));
  });

  test('broken off half-way it stops, and the next pass finishes', async () => {
    const [first = '', second = ''] = EXPIRED;
    const names = [...objectsIn(first, 1_200), ...objectsIn(second, 3)];
    await Promise.all(names.map((name) => store.put(name, someBytes(1))));
    const stop = new AbortController();
    const reason = new Error('the process ends');
    const reallyDelete = store.driver.delete.bind(store.driver);
    store.driver.delete = async (page, signal) => {
      const outcome = await reallyDelete(page, signal);
      stop.abort(reason);
      return outcome;
    };
    await expect(reaperOn(store).pass(stop.signal)).rejects.toBe(reason);
    expect(await store.names()).toHaveLength(203);
    store.driver.delete = reallyDelete;
    await reaperOn(store).pass(never());
    expect(await store.names()).toEqual([]);
    expect(await store.folders('')).toEqual([]);
  });

  test.each([-60_000, 60_000])('with a backend %d ms ahead nothing is deleted', async (ahead) => {
    const names = await fill(store, EXPIRED);
    const reallyTell = store.driver.currentTime.bind(store.driver);
    store.driver.currentTime = async (signal) => (await reallyTell(signal)) + ahead;
    await expect(reaperOn(store).pass(never())).rejects.toMatchObject({ code: 'clock_difference' });
    expect(await store.names()).toEqual(names);
  });

  test('when the clock is set forward, what expired only by that stays, and a metric says how much longer', async () => {
    const parts = partsOn(store);
    const reaper = new Reaper(parts, { intervalMs: 1_000, clockToleranceMs: 0 });
    const lag = async () =>
      (await parts.metrics.registry.metrics()).match(/^payload_store_reaper_lag_seconds (.*)$/m)?.[1];
    const kept = await fill(store, LIVING);
    await reaper.pass(never());
    expect(await lag()).toBe('0');
    await fill(store, EXPIRED);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2095, 0, 1) });
    store.driver.currentTime = async () => Date.now();
    await reaper.pass(never());
    expect(await store.names()).toEqual(kept);
    expect(Number(await lag())).toBeGreaterThan(60 * 365 * 86_400);
  });

  test('a clock that goes wrong during a pass stops it before the next window', async () => {
    await fill(store, EXPIRED);
    const trueTime = Date.now();
    store.driver.currentTime = async () => trueTime;
    const reallyDelete = store.driver.delete.bind(store.driver);
    store.driver.delete = async (page, signal) => {
      const outcome = await reallyDelete(page, signal);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2095, 0, 1) });
      return outcome;
    };
    await fill(store, LIVING);
    await expect(reaperOn(store).pass(never())).rejects.toMatchObject({ code: 'clock_difference' });
    const left = new Set((await store.names()).map((name) => name.slice(0, name.indexOf('/'))));
    expect(left).toEqual(new Set([...EXPIRED.slice(1), ...LIVING]));
  });

  test('two reapers at once delete everything once, and report nothing', async () => {
    const names = EXPIRED.flatMap((root) => objectsIn(root, 200));
    await Promise.all(names.map((name) => store.put(name, someBytes(2))));
    const parts = [partsOn(store), partsOn(store)];
    await Promise.all(
      parts.map((each) => new Reaper(each, { intervalMs: 1_000, clockToleranceMs: 0 }).pass(never())),
    );
    expect(await store.folders('')).toEqual([]);
    const counts = await Promise.all(parts.map(({ metrics }) => deletedOf(metrics)));
    expect(counts.reduce((sum, { objects }) => sum + objects, 0)).toBe(names.length);
    expect(counts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(2 * names.length);
  });
});

async function deletedOf({ registry }: ReturnType<typeof partsOn>['metrics']) {
  const metrics = await registry.getMetricsAsJSON();
  const counted = (name: string) => Number(metrics.find((metric) => metric.name === name)?.values[0]?.value);
  return {
    objects: counted('payload_store_cleanup_deleted_total'),
    bytes: counted('payload_store_cleanup_deleted_bytes_total'),
  };
}

test('a pass over windows that live lists one level, and none of their objects', async () => {
  const [, start] = ON_EACH_DRIVER[0] ?? [];
  const store = new TestStore(await (start ?? expect.fail('no driver'))());
  await fill(store, LIVING);
  const list = vi.spyOn(store.driver, 'list');
  const level = vi.spyOn(store.driver, 'listLevel');
  await reaperOn(store).pass(never());
  expect(list).not.toHaveBeenCalled();
  expect(level).toHaveBeenCalledTimes(1);
  expect(await all(store.driver.listLevel('', never()))).toHaveLength(LIVING.length);
});
