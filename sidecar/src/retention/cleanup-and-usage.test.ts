import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { all, never, someBytes, TestStore } from '../drivers/conformance/subject.ts';
import { ForeignStoreError } from '../errors/foreign-store-error.ts';
import { windowName } from '../keys/window.ts';
import { assertIdentity, writeIdentity } from '../storage-records/identity/identity.ts';
import { cleanup } from './cleanup.ts';
import { FOREIGN, fill, ON_EACH_DRIVER, objectsIn, partsOn } from './stores.fixture.ts';
import { usage } from './usage.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A window whose youngest object was put so long (ms) ago. */
function windowOfAge(age: number, ttl = 30 * DAY): string {
  return windowName({ end: Math.floor((Date.now() - age) / 1_000) * 1_000 + ttl, ttl });
}

describe.each(ON_EACH_DRIVER)('on the %s driver', (_name, start) => {
  let store: TestStore;
  beforeEach(async () => {
    store = new TestStore(await start());
  });
  afterEach(() => store.stop());

  const cleanUp = (age: number, dryRun: boolean, signal = never()) =>
    all(cleanup(partsOn(store), { age, dryRun, signal }));

  describe('cleanup', () => {
    test('deletes windows that are older than the age, the oldest first, and nothing else', async () => {
      const old = [windowOfAge(8 * DAY), windowOfAge(8 * DAY - HOUR), windowOfAge(9 * DAY, 3_650 * DAY)];
      const kept = await fill(store, [windowOfAge(7 * DAY - HOUR), windowOfAge(-DAY), 'blobs', ...FOREIGN]);
      await fill(store, old);
      const progress = await cleanUp(7 * DAY, false);
      expect(progress).toEqual(old.map((window) => ({ window, objects: 3, bytes: 6 })));
      expect(await store.names()).toEqual(kept);
    });

    test('a dry run tells the same and deletes nothing', async () => {
      const names = await fill(store, [windowOfAge(8 * DAY)]);
      const told = await cleanUp(7 * DAY, true);
      expect(await store.names()).toEqual(names);
      expect(await cleanUp(7 * DAY, false)).toEqual(told);
      expect(await store.names()).toEqual([]);
    });

    test('tells the sum of a window after each of its pages', async () => {
      const window = windowOfAge(DAY);
      await Promise.all(objectsIn(window, 1_200).map((name) => store.put(name, someBytes(1))));
      for (const dryRun of [true, false]) {
        expect(await cleanUp(HOUR, dryRun)).toEqual([
          { window, objects: 1_000, bytes: 1_000 },
          { window, objects: 1_200, bytes: 1_200 },
        ]);
      }
    });

    test("leaves another store's windows alone", async () => {
      const ours = { namespace: 'orders', name: 'payloads' };
      const parts = partsOn(store, () => assertIdentity(store.driver, ours, never()));
      await writeIdentity(store.driver, { namespace: 'others', name: 'theirs' }, never());
      const names = await fill(store, [windowOfAge(DAY)]);
      const refused = all(cleanup(parts, { age: HOUR, dryRun: false, signal: never() }));
      await expect(refused).rejects.toBeInstanceOf(ForeignStoreError);
      expect(await store.names()).toEqual(names);
    });

    test('counts the clock difference that is allowed between processes', async () => {
      const kept = await fill(store, [windowOfAge(HOUR + 30_000)]);
      const old = windowOfAge(HOUR + 90_000);
      await fill(store, [old]);
      const parts = { ...partsOn(store), clockToleranceMs: 60_000 };
      const progress = await all(cleanup(parts, { age: HOUR, dryRun: false, signal: never() }));
      expect(progress.map(({ window }) => window)).toEqual([old]);
      expect(await store.names()).toEqual(kept);
    });

    test('does nothing while the clock is wrong, or once aborted', async () => {
      const names = await fill(store, [windowOfAge(DAY)]);
      const reason = new Error('the client left');
      await expect(cleanUp(HOUR, false, AbortSignal.abort(reason))).rejects.toBe(reason);
      store.driver.currentTime = async () => Date.now() - HOUR;
      await expect(cleanUp(HOUR, false)).rejects.toMatchObject({ code: 'clock_difference' });
      expect(await store.names()).toEqual(names);
    });
  });

  describe('usage', () => {
    const window = 'expires-20900101T000000Z-30d';

    test('sums by window and namespace', async () => {
      const put = (name: string, size: number) => store.put(name, someBytes(size));
      await put('store.json', 10);
      await put('write-check', 10);
      await put('clock.json', 10);
      for (const [name, size] of [
        ['orders/common/sha256:1/sha256:1', 1],
        ['orders/custom/wf/a/sha256:1/sha256:1', 2],
        ['orders/custom/wf/b/sha256:1/sha256:1', 4],
        ['orders-eu/common/sha256:1/sha256:1', 8],
        ['orders.eu/1.bin', 16],
        ['billing/common/sha256:1/sha256:1', 0],
      ] as const) {
        await put(`${window}/${name}`, size);
      }
      await put('/blobs/orders/common/sha256:1/sha256:1', 32);
      const sums = (await all(usage(store.driver, never()))).sort((a, b) => a.bytes - b.bytes);
      expect(sums).toEqual([
        { window, namespace: 'billing', objects: 1, bytes: 0 },
        { window, namespace: 'orders', objects: 3, bytes: 7 },
        { window, namespace: 'orders-eu', objects: 1, bytes: 8 },
        { window, namespace: 'orders.eu', objects: 1, bytes: 16 },
        { window: 'blobs', namespace: 'orders', objects: 1, bytes: 32 },
      ]);
    });

    test('payloads of version 1, which knew no namespaces, are one sum', async () => {
      for (const index of [1, 2, 3]) await store.put(`blobs/sha256:${index}`, someBytes(index));
      await store.put('blobs/orders/common/sha256:1/sha256:1', someBytes(10));
      const sums = (await all(usage(store.driver, never()))).sort((a, b) => a.bytes - b.bytes);
      expect(sums).toEqual([
        { window: 'blobs', namespace: '', objects: 3, bytes: 6 },
        { window: 'blobs', namespace: 'orders', objects: 1, bytes: 10 },
      ]);
    });

    test('of an empty store, and aborted', async () => {
      expect(await all(usage(store.driver, never()))).toEqual([]);
      await fill(store, [window]);
      const reason = new Error('the client left');
      await expect(all(usage(store.driver, AbortSignal.abort(reason)))).rejects.toBe(reason);
    });
  });
});
