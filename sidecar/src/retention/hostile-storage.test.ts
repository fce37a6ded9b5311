import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { all, never, someBytes, TestStore } from '../drivers/conformance/subject.ts';
import type { Driver } from '../drivers/driver.ts';
import { FilesystemDriver } from '../drivers/filesystem/filesystem-driver.ts';
import { newFolder, removeFolder } from '../drivers/filesystem/folder.fixture.ts';
import { excerpt } from '../errors/excerpt.ts';
import { StorageError } from '../errors/storage-error.ts';
import { windowName } from '../keys/window.ts';
import { cleanup } from './cleanup.ts';
import { clearWindow } from './clear-window.ts';
import { PASS_LIMITS } from './pass-limits.ts';
import { storedWindows } from './stored-windows.ts';
import { EXPIRED, fill, LIVING, ON_EACH_DRIVER, objectsIn, partsOn, reaperOn } from './stores.fixture.ts';

const [WINDOW = '', OTHER = ''] = EXPIRED;
const refusal = (name: string) => ({
  name: 'StorageError',
  failure: 'unavailable',
  message: expect.stringContaining(`lists ${excerpt(name)} in the window ${WINDOW}, which is no payload`),
});

describe.each(ON_EACH_DRIVER)('on the %s driver', (_name, start) => {
  let store: TestStore;
  beforeEach(async () => {
    store = new TestStore(await start());
  });
  afterEach(() => store.stop());

  const cleanUp = (dryRun: boolean) =>
    all(cleanup(partsOn(store), { age: 30 * 86_400_000, dryRun, signal: never() }));

  test.each(['orders/notes.txt', 'notes.txt', 'orders/common/sha256:1/sha256:0', 'orders/1.txt/a.bin'])(
    'what lies in a window and is no payload (%s) keeps its page, and no other window',
    async (path) => {
      const kept = [...(await fill(store, [WINDOW])), `${WINDOW}/${path}`].sort();
      await store.put(`${WINDOW}/${path}`, someBytes(1));
      const others = await fill(store, LIVING);
      for (const pass of [() => cleanUp(true), () => cleanUp(false), () => reaperOn(store).pass(never())]) {
        const gone = await fill(store, [OTHER]);
        await expect(pass()).rejects.toMatchObject(refusal(`${WINDOW}/${path}`));
        const names = await store.names();
        expect(names.filter((name) => !gone.includes(name))).toEqual([...kept, ...others].sort());
      }
      expect(await store.names()).toEqual([...kept, ...others].sort());
    },
  );

  test('what lies in a window outside of all namespaces keeps the whole window, and no other one', async () => {
    for (const path of ['notes.txt', '.trash/orders/1.bin', 'lost+found/a']) {
      const kept = [...(await fill(store, [WINDOW])), `${WINDOW}/aaa/1.bin`, `${WINDOW}/${path}`].sort();
      await store.put(`${WINDOW}/aaa/1.bin`, someBytes(1));
      await store.put(`${WINDOW}/${path}`, someBytes(1));
      await fill(store, [OTHER]);
      await expect(reaperOn(store).pass(never())).rejects.toMatchObject(refusal(`${WINDOW}/${path}`));
      expect(await store.names()).toEqual(kept);
      await store.driver.delete([`${WINDOW}/${path}`], never());
    }
    await reaperOn(store).pass(never());
    expect(await store.folders('expires-')).toEqual([]);
  });

  test('a namespace that fails keeps neither the others of its window nor other windows', async () => {
    const kept = [`${WINDOW}/billing/1.bin`, `${WINDOW}/billing/notes.txt`];
    for (const name of [...kept, `${WINDOW}/aaa/2.bin`, `${WINDOW}/zzz/3.bin`])
      await store.put(name, someBytes(1));
    await fill(store, [WINDOW, OTHER]);
    await expect(reaperOn(store).pass(never())).rejects.toMatchObject(refusal(`${WINDOW}/billing/notes.txt`));
    expect(await store.names()).toEqual(kept);
    await store.driver.delete([`${WINDOW}/billing/notes.txt`], never());
    await reaperOn(store).pass(never());
    expect(await store.folders('expires-')).toEqual([]);
  });

  test('a namespace that takes a whole pass and cannot be deleted does not starve the others', async () => {
    const stuck = `${WINDOW}/aaa/1.bin`;
    const other = `${WINDOW}/bbb/1.bin`;
    for (const name of [stuck, other]) await store.put(name, someBytes(1));
    const { driver } = store;
    const refusing = {
      listLevel: driver.listLevel.bind(driver),
      list: driver.list.bind(driver),
      removeFolder: driver.removeFolder.bind(driver),
      delete: async (names: readonly string[]) =>
        names.includes(stuck)
          ? { deleted: [], failed: [{ name: stuck, error: new StorageError('denied', 'not this one') }] }
          : await driver.delete(names, never()),
    } as unknown as Driver;
    const limits = { ...PASS_LIMITS, pages: 1 };
    for (let pass = 0; pass < 64 && (await store.names()).includes(other); pass += 1) {
      await all(clearWindow(refusing, `${WINDOW}/`, { limits, signal: never() })).catch(() => {});
    }
    expect(await store.names()).toEqual([stuck]);
  });

  test("a listing of one namespace that has another one's payload deletes nothing of that page", async () => {
    const names = await fill(store, [WINDOW]);
    const other = `${WINDOW}/billing/1.bin`;
    await store.put(other, someBytes(1));
    const reallyList = store.driver.list.bind(store.driver);
    store.driver.list = async function* (folder, signal) {
      for await (const page of reallyList(folder, signal)) {
        yield folder.endsWith('/orders/') ? [...page, { name: other, size: 1 }] : page;
      }
    };
    await expect(reaperOn(store).pass(never())).rejects.toMatchObject(refusal(other));
    store.driver.list = reallyList;
    expect(await store.names()).toEqual(names);
  });

  test('a listing that ignores its prefix deletes nothing', async () => {
    const names = await fill(store, [WINDOW, ...LIVING]);
    await store.put('store.json', someBytes(10));
    const [lie = ''] = objectsIn(LIVING[0] ?? '', 1);
    const reallyList = store.driver.list.bind(store.driver);
    for (const listed of [lie, 'store.json', `${WINDOW}/../${lie}`, `${WINDOW}x/orders/1.bin`]) {
      store.driver.list = async function* (folder, signal) {
        for await (const page of reallyList(folder, signal)) yield [...page, { name: listed, size: 1 }];
      };
      await expect(cleanUp(true)).rejects.toMatchObject(refusal(listed));
      await expect(cleanUp(false)).rejects.toMatchObject(refusal(listed));
      await expect(reaperOn(store).pass(never())).rejects.toMatchObject(refusal(listed));
    }
    store.driver.list = reallyList;
    expect(await store.names()).toEqual(names);
    expect(await store.holds('store.json', someBytes(10))).toBe(true);
  });

  test('pages before the one with a stranger are deleted', async () => {
    const names = objectsIn(WINDOW, 3);
    await Promise.all(names.map((name) => store.put(name, someBytes(1))));
    const [first = '', second = '', third = ''] = names;
    store.driver.list = async function* () {
      yield [{ name: first, size: 1 }];
      yield [
        { name: second, size: 1 },
        { name: 'store.json', size: 1 },
      ];
    };
    await expect(reaperOn(store).pass(never())).rejects.toMatchObject(refusal('store.json'));
    expect(await store.holds(first, undefined)).toBe(true);
    for (const name of [second, third]) expect(await store.holds(name, someBytes(1))).toBe(true);
  });

  test('of more windows than a pass takes the earliest go, and the next pass goes on', async () => {
    await fill(store, [...EXPIRED, ...LIVING]);
    const reaper = reaperOn(store);
    const limits = { ...PASS_LIMITS, windows: 2 };
    await expect(reaper.pass(never(), limits)).rejects.toThrow(
      /more windows than one pass takes; the next one/,
    );
    const left = new Set((await store.names()).map((name) => name.slice(0, name.indexOf('/'))));
    expect(left.has(WINDOW)).toBe(false);
    expect(left.size).toBe(EXPIRED.length + LIVING.length - 2);
    await reaper.pass(never(), limits);
    expect(await store.names()).toEqual(LIVING.flatMap((root) => objectsIn(root, 3)).sort());
  });

  test('of more pages than a pass takes of a window the first go, and the other windows too', async () => {
    const names = [...objectsIn(WINDOW, 1_200), ...objectsIn(OTHER, 3)];
    await Promise.all(names.map((name) => store.put(name, someBytes(1))));
    const reaper = reaperOn(store);
    const pass = reaper.pass(never(), { ...PASS_LIMITS, pages: 1 });
    await expect(pass).rejects.toThrow(`the window ${WINDOW} has more objects than one pass takes`);
    const left = await store.names();
    expect(left).toHaveLength(200);
    for (const name of left) expect(name.startsWith(`${WINDOW}/`)).toBe(true);
    await reaper.pass(never(), { ...PASS_LIMITS, pages: 1 });
    expect(await store.names()).toEqual([]);
  });
});

/** A storage with ever new names, which it lists for as long as it is asked; each window has one namespace. */
const endless = {
  async *listLevel(prefix: string) {
    if (prefix !== 'expires-') {
      yield `${prefix}orders/`;
      return;
    }
    for (let second = 0; ; second += 1) {
      const end = new Date(Date.UTC(2020, 0, 1) + second * 1_000).toISOString().replace(/[-:]|\.\d{3}/g, '');
      yield `expires-${end}-30d/`;
    }
  },
  async *list(folder: string) {
    for (let page = 0; ; page += 1) {
      yield Array.from({ length: 1_000 }, (_, index) => ({
        name: `${folder}${(page * 1_000 + index).toString(16)}.bin`,
        size: 1,
      }));
    }
  },
  delete: async (names: readonly string[]) => ({ deleted: names, failed: [] }),
  removeFolder: async () => {},
} as unknown as Driver;

test('endless windows: the first 10,000 are taken, after 100,000 names it ends', async () => {
  const { windows, hasLater, cutOff } = await storedWindows(endless, never());
  expect(windows).toHaveLength(10_000);
  expect({ hasLater, cutOff }).toEqual({ hasLater: true, cutOff: true });
  const names = windows.map(windowName);
  expect(names[0]).toBe('expires-20200101T000000Z-30d');
  expect(names.at(-1)).toBe('expires-20200101T024639Z-30d');
  const slow = { ...PASS_LIMITS, listingTimeMs: -1 };
  expect(await storedWindows(endless, never(), slow)).toEqual({ windows: [], hasLater: false, cutOff: true });
});

test.each([false, true])(
  'an endless window ends after its pages, or its time, when it is deleted and when it is counted (%o)',
  async (dryRun) => {
    const pages = async (limits: object) => {
      let count = 0;
      const counting = async () => {
        for await (const _page of clearWindow(endless, `${WINDOW}/`, {
          ...{ dryRun, limits: { ...PASS_LIMITS, ...limits }, signal: never() },
        }))
          count += 1;
      };
      await expect(counting()).rejects.toThrow(/has more objects than one pass takes; the next one goes on/);
      return count;
    };
    expect(await pages({ pages: 20 })).toBe(20);
    expect(await pages({ windowTimeMs: -1 })).toBe(0);
  },
);

test('a window of endless namespaces ends after as many as a pass keeps in memory, all of which are deleted', async () => {
  let listed = 0;
  const hostile = {
    ...endless,
    async *listLevel(window: string) {
      for (; ; listed += 1) yield `${window}orders-${listed}/`;
    },
    async *list(folder: string) {
      yield [{ name: `${folder}0.bin`, size: 1 }];
    },
  } as unknown as Driver;
  let deleted = 0;
  const deleting = async () => {
    const limits = { ...PASS_LIMITS, namespaces: 20 };
    for await (const { objects } of clearWindow(hostile, `${WINDOW}/`, { limits, signal: never() }))
      deleted += objects;
  };
  await expect(deleting()).rejects.toThrow(`the window ${WINDOW} has more namespaces than one pass takes`);
  expect({ listed, deleted }).toEqual({ listed: 20, deleted: 20 });
});

test('folders that are deeper than any payload are not followed, and keep no other window', async () => {
  const folder = newFolder();
  try {
    const driver = await FilesystemDriver.start(folder);
    const store = new TestStore({ driver, stop: () => driver.close() });
    const deep = join(folder, WINDOW, ...Array.from({ length: 700 }, () => 'a'));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'file'), 'x');
    await fill(store, [OTHER, ...LIVING]);
    await expect(reaperOn(store).pass(never())).rejects.toThrow(/deeper than any payload lies/);
    expect(await store.folders('expires-')).toEqual([WINDOW, ...LIVING].map((name) => `${name}/`).sort());
    await store.stop();
  } finally {
    removeFolder(folder);
  }
});
