import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { never, type StartedStore, someBytes, TestStore } from '../../drivers/conformance/subject.ts';
import { startInFolder } from '../../drivers/filesystem/folder.fixture.ts';
import { ForeignStoreError } from '../../errors/foreign-store-error.ts';
import { assertIdentity, writeIdentity } from './identity.ts';

const OURS = { namespace: 'orders', name: 'payloads' };
const OTHERS = [
  { namespace: 'orders', name: 'other' },
  { namespace: 'billing', name: 'payloads' },
  { namespace: 'payloads', name: 'orders' },
];

async function startInMemory(): Promise<StartedStore> {
  const driver = new MemoryDriver(1024 * 1024);
  return { driver, stop: () => driver.close() };
}

describe.each([
  ['memory', startInMemory],
  ['filesystem', startInFolder],
])('on the %s driver', (_name, start) => {
  let store: TestStore;
  beforeEach(async () => {
    store = new TestStore(await start());
  });
  afterEach(() => store.stop());

  const claim = (identity = OURS) => writeIdentity(store.driver, identity, never());

  test('an empty storage becomes ours, again and again', async () => {
    await claim();
    await claim();
    const storageID = await assertIdentity(store.driver, OURS, never());
    const written = (await store.get('store.json'))?.toString() ?? '';
    expect(JSON.parse(written)).toEqual({ ...OURS, id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(storageID).toBe(`orders/payloads/${JSON.parse(written).id}`);
    await store.driver.delete(['store.json'], never());
    await claim();
    expect(await assertIdentity(store.driver, OURS, never())).not.toBe(storageID);
  });

  test.each(OTHERS)('another store (%j) is refused, and we in theirs', async (other) => {
    await claim();
    await expect(claim(other)).rejects.toBeInstanceOf(ForeignStoreError);
    await expect(claim(other)).rejects.toThrow(/belongs to the store orders\/payloads, not to /);
    await claim();
    await store.driver.delete(['store.json'], never());
    await claim(other);
    await expect(claim()).rejects.toThrow(
      `belongs to the store ${other.namespace}/${other.name}, not to orders/payloads`,
    );
    await expect(assertIdentity(store.driver, OURS, never())).rejects.toBeInstanceOf(ForeignStoreError);
  });

  test('of many stores that claim it at once exactly one wins', async () => {
    const stores = Array.from({ length: 12 }, (_, index) => ({ namespace: 'race', name: `store-${index}` }));
    const outcomes = await Promise.allSettled(stores.map((identity) => claim(identity)));
    const winners = stores.filter((_, index) => outcomes[index]?.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    for (const identity of winners) await assertIdentity(store.driver, identity, never());
  });

  test('a store.json without an id is ours', async () => {
    await store.put('store.json', Buffer.from(JSON.stringify(OURS)));
    await claim();
    expect(await assertIdentity(store.driver, OURS, never())).toBe('orders/payloads');
  });

  test.each([
    ['no JSON', Buffer.from('{"namespace":"orders","na')],
    ['nothing', Buffer.alloc(0)],
    ['an error of S3', Buffer.from('<?xml version="1.0"?><Error><Code>InternalError</Code></Error>')],
    ['a page of a proxy', Buffer.from('<html><body>We will be back soon</body></html>')],
    ['null', Buffer.from('null')],
    ['a number', Buffer.from('5')],
    ['an object without names', Buffer.from('{}')],
    ['names that are no texts', Buffer.from('{"namespace":{},"name":1}')],
    ['an id that is a number', Buffer.from(JSON.stringify({ ...OURS, id: 5 }))],
    ['an id that is a path', Buffer.from(JSON.stringify({ ...OURS, id: '../a' }))],
    ['an id that is too long', Buffer.from(JSON.stringify({ ...OURS, id: 'x'.repeat(65) }))],
    ['5,000 bytes', Buffer.from(JSON.stringify({ ...OURS, more: 'x'.repeat(5_000) }))],
    ['bytes', someBytes(100)],
  ])('a store.json with %s is an unreadable answer, nobody’s, and stays as it is', async (_title, bytes) => {
    await store.put('store.json', bytes);
    const unreadable = {
      name: 'StorageError',
      failure: 'unavailable',
      message: expect.stringMatching(/^an unreadable answer: .*store\.json.*check the endpoint or the mount/),
    };
    await expect(claim()).rejects.toMatchObject(unreadable);
    await expect(assertIdentity(store.driver, OURS, never())).rejects.toMatchObject(unreadable);
    expect(await store.holds('store.json', bytes)).toBe(true);
  });

  test('a store.json that has gone makes the storage unusable, not ours', async () => {
    await claim();
    await store.driver.delete(['store.json'], never());
    const gone = {
      name: 'StorageError',
      failure: 'unavailable',
      message: expect.stringContaining('has gone'),
    };
    await expect(assertIdentity(store.driver, OURS, never())).rejects.toMatchObject(gone);
  });
});
