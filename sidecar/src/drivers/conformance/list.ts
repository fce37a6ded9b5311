import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PAGE_SIZE } from '../driver.ts';
import {
  all,
  type DriverSubject,
  freshStore,
  never,
  someBytes,
  someName,
  TestStore,
  testWith,
} from './subject.ts';

const WINDOW = 'expires-20400101T000000Z-30d/';
const OTHER_WINDOW = 'expires-20400102T000000Z-30d/';
const PUTS_AT_ONCE = 32;

/** Listing, on a store with more objects than fit on two pages and on an empty one. */
export function describeList(subject: DriverSubject): void {
  describe('more than 2,500 objects', () => {
    const stored = manyObjects();
    let store: TestStore;
    beforeAll(async () => {
      store = new TestStore(await subject.start());
      await putAll(store, stored);
    }, 60_000);
    afterAll(() => store.stop());

    test('objects come in pages of at most 1,000, each once, with their sizes', async () => {
      const found = new Map<string, number>();
      let objects = 0;
      for await (const page of store.driver.list(WINDOW, never())) {
        expect(page.length).toBeLessThanOrEqual(PAGE_SIZE);
        objects += page.length;
        for (const { name, size } of page) found.set(name, size);
      }
      expect(found).toEqual(new Map([...stored].filter(([name]) => name.startsWith(WINDOW))));
      expect(objects).toBe(found.size);
      expect(objects).toBeGreaterThan(2_500);
    });

    test('names that share leading segments come one after another', async () => {
      const names = (await store.list(WINDOW)).map(({ name }) => name);
      expect(brokenGroup(names)).toBeUndefined();
    });

    test('folders of three, of which one lies across two pages, come whole', async () => {
      const names = (await store.list(OTHER_WINDOW)).map(({ name }) => name);
      expect(names.sort()).toEqual([...stored.keys()].filter((name) => name.startsWith(OTHER_WINDOW)).sort());
    });

    test('only objects below the folder are listed', async () => {
      expect(await store.list(`${WINDOW}billing/`)).toHaveLength(40);
      expect(await store.list(`${WINDOW}bill/`)).toEqual([]);
    });

    test('first segments are those with the prefix', async () => {
      expect(await store.folders('expires-')).toEqual([WINDOW, OTHER_WINDOW]);
      expect(await store.folders('expires-20400101')).toEqual([WINDOW]);
      expect(await store.folders('nothing')).toEqual([]);
      expect(await store.folders('orders')).toEqual([]);
    });

    test('a level has the folders and the objects beside them, those with the prefix', async () => {
      const namespaces = ['billing', 'mixed', 'orders-eu', 'orders-us', 'orders'];
      expect(await store.level(WINDOW)).toEqual(namespaces.map((name) => `${WINDOW}${name}/`).sort());
      expect(await store.level(`${WINDOW}orders-`)).toEqual([`${WINDOW}orders-eu/`, `${WINDOW}orders-us/`]);
      const mixed = ['0.bin', '1.bin', 'common/'].map((name) => `${WINDOW}mixed/${name}`);
      expect(await store.level(`${WINDOW}mixed/`)).toEqual(mixed);
      expect(await store.level(`${WINDOW}orders/common/`)).toHaveLength(967);
      expect(await store.level(`${WINDOW}orders-eu/common/sha256:shared/`)).toHaveLength(400);
      expect(await store.level(`${WINDOW}bill/`)).toEqual([]);
    });

    test('a listing stops when it is left after a page, or aborted', async () => {
      for await (const page of store.driver.list(WINDOW, never())) {
        expect(page.length).toBeGreaterThan(0);
        break;
      }
      const stop = new AbortController();
      const reason = new Error('no longer wanted');
      const listAll = async () => {
        for await (const _page of store.driver.list(WINDOW, stop.signal)) stop.abort(reason);
      };
      await expect(listAll()).rejects.toBe(reason);
    });

    test('a signal aborted before stops both listings', async () => {
      const reason = new Error('no longer wanted');
      const signal = AbortSignal.abort(reason);
      await expect(all(store.driver.list(WINDOW, signal))).rejects.toBe(reason);
      await expect(all(store.driver.listLevel('', signal))).rejects.toBe(reason);
    });

    // The last one of this store: it empties the window.
    test('a folder that is deleted page by page while it is listed goes entirely', async () => {
      for await (const page of store.driver.list(WINDOW, never())) {
        const { failed } = await store.driver.delete(
          page.map(({ name }) => name),
          never(),
        );
        expect(failed).toEqual([]);
      }
      expect(await store.list(WINDOW)).toEqual([]);
      await store.driver.removeFolder(WINDOW, never());
      if (subject.capabilities.emptyFoldersVanish !== true) return;
      expect(await store.folders('expires-')).toEqual([OTHER_WINDOW]);
    });
  });

  const at = freshStore(subject);

  test('an absent folder, and an empty store, have nothing', async () => {
    expect(await at.store.list(WINDOW)).toEqual([]);
    expect(await at.store.list('blobs/nobody/common/')).toEqual([]);
    expect(await at.store.folders('')).toEqual([]);
  });

  test('an object that lies in no folder is no first segment', async () => {
    await at.store.put('store.json', someBytes(10));
    expect(await at.store.folders('')).toEqual([]);
    expect(await at.store.level('')).toEqual(['store.json']);
  });

  testWith(
    subject,
    'leadingSlashesAreListed',
    'names with a leading slash are found, under it or without it',
    async () => {
      const name = '/blobs/orders/common/sha256:1/sha256:2';
      await at.store.put(name, someBytes(10));
      const segments = [...(await at.store.folders('blobs')), ...(await at.store.folders('/blobs'))];
      expect(segments).toHaveLength(1);
      const listed = await at.store.list(segments[0] ?? '');
      expect(listed.map(({ name, size }) => [name.replace(/^\//, ''), size])).toEqual([[name.slice(1), 10]]);
      const names = listed.map(({ name }) => name);
      expect(await at.store.driver.delete(names, never())).toMatchObject({ deleted: names, failed: [] });
      expect(await at.store.get(name)).toBeUndefined();
    },
  );

  test('objects put while a listing runs do not disturb it', async () => {
    const before = Array.from({ length: 60 }, (_, index) => someName(`before ${index}`));
    for (const name of before) await at.store.put(name, someBytes(10));
    const putting = putAll(at.store, new Map(Array.from({ length: 60 }, (_, index) => [someName(index), 1])));
    const listed = (await at.store.list(WINDOW)).map(({ name }) => name);
    await putting;
    expect(listed).toEqual(expect.arrayContaining(before));
    expect(new Set(listed).size).toBe(listed.length);
  });
}

/** Names to sizes: folders of one object, of three and of many, deep ones, and neighbours whose names begin alike. */
function manyObjects(): Map<string, number> {
  const names = [
    ...numbered(400, (index) => `${WINDOW}orders/common/sha256:${index}/sha256:only`),
    ...numbered(1_701, (index) => `${WINDOW}orders/common/sha256:three-${index % 567}/sha256:${index}`),
    ...numbered(400, (index) => `${WINDOW}orders-eu/common/sha256:shared/sha256:${index}`),
    ...numbered(33, (index) => `${WINDOW}orders-us/common/sha256:33/sha256:${index}`),
    ...numbered(32, (index) => `${WINDOW}orders-us/common/sha256:32/sha256:${index}`),
    ...numbered(40, (index) => `${WINDOW}billing/${index}.bin`),
    ...numbered(30, (index) => `${WINDOW}orders/custom/wf/${'w'.repeat(200)}/${index}/sha256:1/sha256:1`),
    ...numbered(2, (index) => `${WINDOW}mixed/${index}.bin`),
    ...numbered(2, (index) => `${WINDOW}mixed/common/sha256:1/sha256:${index}`),
    ...numbered(1_002, (index) => `${OTHER_WINDOW}orders/common/sha256:${index % 334}/sha256:${index}`),
  ];
  return new Map(names.map((name, index) => [name, index % 7]));
}

function numbered(count: number, name: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => name(index));
}

async function putAll(store: TestStore, objects: ReadonlyMap<string, number>): Promise<void> {
  const queue = objects.entries();
  const work = async () => {
    for (const [name, size] of queue) await store.put(name, someBytes(size));
  };
  await Promise.all(Array.from({ length: PUTS_AT_ONCE }, work));
}

/** Leading segments that come up again after others; `undefined` when every group is whole. */
function brokenGroup(names: readonly string[]): string | undefined {
  const ended = new Set<string>();
  let open: string[] = [];
  for (const name of names) {
    const segments = name.split('/');
    const groups = segments.map((_, depth) => segments.slice(0, depth + 1).join('/'));
    for (const group of open) if (!groups.includes(group)) ended.add(group);
    const again = groups.find((group) => ended.has(group));
    if (again !== undefined) return again;
    open = groups;
  }
  return undefined;
}
