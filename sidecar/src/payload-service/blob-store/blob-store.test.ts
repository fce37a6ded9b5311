import { metadataHash } from '@largepayload/codec';
import { putTimeLimit } from '@largepayload/crds';
import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bytesOf, sourceOf } from '../../bytes/byte-streams.ts';
import { factsOf, inChunks, never, someBytes, TestStore } from '../../drivers/conformance/subject.ts';
import { ForeignStoreError } from '../../errors/foreign-store-error.ts';
import { StorageError } from '../../errors/storage-error.ts';
import { Metrics } from '../../operations/metrics.ts';
import { Reaper } from '../../retention/reaper.ts';
import { clockGuardOf, clockOfNewStore } from '../../storage-records/clock/clock.fixture.ts';
import { assertIdentity, writeIdentity } from '../../storage-records/identity/identity.ts';
import { OwnershipGuard } from '../../storage-records/ownership/ownership-guard.ts';
import { WriteWatch } from '../../storage-records/write-check/write-watch.ts';
import type { Moment } from '../../time/moment.ts';
import type { Call, PutRequest } from '../payload-service.ts';
import { BlobStore } from './blob-store.ts';

const SECOND = 1_000;
const METADATA = new Map([['encoding', Buffer.from('binary/plain')]]);
const HASH = metadataHash(METADATA);
const NOON = Date.UTC(2026, 10, 24, 12);
const bytes = someBytes(100_000);

let driver: MemoryDriver;
let stored: TestStore;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOON });
  driver = new MemoryDriver(64 * 1024 * 1024);
  stored = new TestStore({ driver, stop: () => driver.close() });
});
afterEach(() => {
  vi.useRealTimers();
});

const OURS_ALWAYS = new OwnershipGuard(async () => 'orders/payloads', 0);

const UNDOUBTED = new WriteWatch(async () => {});

function storeWith(
  ttl: number | undefined,
  clockToleranceMs = 0,
  ownership = OURS_ALWAYS,
  writes = UNDOUBTED,
): BlobStore {
  const clock = clockGuardOf(driver, clockToleranceMs);
  const readiness = { assertUsable: async () => {} };
  return new BlobStore(driver, { clock, ownership, writes, readiness }, { ttl, clockToleranceMs });
}

const now = (): Moment => ({ wallTime: Date.now(), monotonicTime: performance.now() });

const anyCall = (): Call => ({ caller: { peer: '127.0.0.1' }, signal: never() });

function requestOf(content: Buffer, changes: Partial<PutRequest> = {}): PutRequest {
  return {
    namespace: 'orders',
    keyPrefix: undefined,
    workflowId: undefined,
    metadata: METADATA,
    facts: factsOf(content),
    body: sourceOf(inChunks(content)),
    received: now(),
    ...anyCall(),
    ...changes,
  };
}

async function read(store: BlobStore, key: string): Promise<Buffer> {
  return await bytesOf(await store.get(key, anyCall()));
}

describe('a put', () => {
  test('without TTL has the key that the Go service writes, its object the slash', async () => {
    const { key, outcome } = await storeWith(undefined).put(requestOf(bytes));
    expect(outcome).toBe('created');
    expect(key).toBe(`/blobs/orders/common/${factsOf(bytes).digest}/${HASH}`);
    expect(await stored.names()).toEqual([key]);
  });

  test('with TTL has its window in the key, from when its headers were parsed', async () => {
    const { key } = await storeWith(12 * SECOND).put(
      requestOf(bytes, { keyPrefix: 'wf/b3JkZXItMQ', received: { ...now(), wallTime: NOON + 1 } }),
    );
    expect(key).toBe(
      `/expires-20261124T120016Z-12s/orders/custom/wf/b3JkZXItMQ/${factsOf(bytes).digest}/${HASH}`,
    );
    expect(await stored.names()).toEqual([key.slice(1)]);
    const received = { ...now(), wallTime: NOON + 1 };
    expect((await storeWith(12 * SECOND, 60 * SECOND).put(requestOf(bytes, { received }))).key).toMatch(
      /^\/expires-20261124T120116Z-12s/,
    );
  });

  test('of equal bytes within a window is a hit', async () => {
    const store = storeWith(12 * SECOND);
    const first = await store.put(requestOf(bytes));
    expect(await store.put(requestOf(bytes))).toEqual({ key: first.key, outcome: 'existed' });
  });

  test.each([
    ['other bytes', requestOf(bytes, { body: sourceOf(inChunks(someBytes(100_000, 'other'))) })],
    ['fewer bytes', requestOf(bytes, { body: sourceOf(inChunks(bytes.subarray(1))) })],
    ['more bytes', requestOf(bytes, { body: sourceOf(inChunks(Buffer.concat([bytes, bytes]))) })],
  ])('of %s than promised stores nothing, whether or not the payload was there', async (_title, request) => {
    const put = (from: PutRequest) => storeWith(undefined).put(from);
    const mismatch = { code: 'digest_mismatch', message: expect.stringContaining('nothing was stored') };
    await expect(put(request)).rejects.toMatchObject(mismatch);
    expect(await stored.names()).toEqual([]);
    await put(requestOf(bytes));
    const again = requestOf(bytes, { body: sourceOf(inChunks(bytes.subarray(1))) });
    await expect(put(again)).rejects.toMatchObject(mismatch);
  });

  test.each([
    [12 * SECOND, 3_000],
    [undefined, 900_000],
  ])('TTL %s: acknowledged up to its limit (%d ms), never later', async (ttl, limit) => {
    const store = storeWith(ttl);
    expect(putTimeLimit(ttl)).toBe(limit);
    const receivedAgo = (ago: number) => ({ ...now(), monotonicTime: performance.now() - ago });
    await store.put(requestOf(bytes, { received: receivedAgo(limit - 500) }));
    const late = store.put(requestOf(bytes, { received: receivedAgo(limit + 1) }));
    await expect(late).rejects.toMatchObject({ code: 'put_timeout', status: 503 });
  });

  test('is not acknowledged when the clock leaps past its limit meanwhile, as when a machine sleeps', async () => {
    const leap = async function* () {
      yield* inChunks(bytes);
      vi.setSystemTime(Date.now() + 3_600 * SECOND);
    };
    const late = storeWith(12 * SECOND).put(requestOf(bytes, { body: sourceOf(leap()) }));
    await expect(late).rejects.toMatchObject({ code: 'put_timeout' });
  });

  test('is not acknowledged when the clock is found wrong before or after it', async () => {
    const store = storeWith(12 * SECOND);
    const step = async function* () {
      yield* inChunks(bytes);
      vi.setSystemTime(NOON + 60 * SECOND);
      driver.currentTime = async () => NOON;
    };
    const refused = { code: 'clock_difference', status: 503 };
    await expect(store.put(requestOf(bytes, { body: sourceOf(step()) }))).rejects.toMatchObject(refused);
    let asked = false;
    const unread = async function* () {
      asked = true;
      yield bytes;
    };
    await expect(store.put(requestOf(bytes, { body: sourceOf(unread()) }))).rejects.toMatchObject(refused);
    expect(asked).toBe(false);
  });

  test('whose key prefix is too long for a name in the storage is refused before its body is read', async () => {
    const unread = { readInto: async () => expect.fail('the body was asked for') };
    const keyPrefix = Array.from({ length: 4 }, () => 'x'.repeat(255)).join('/');
    const refused = storeWith(undefined).put(requestOf(bytes, { keyPrefix, body: unread }));
    await expect(refused).rejects.toMatchObject({ code: 'invalid_key_prefix', status: 400 });
  });

  test("has its owner's prefix in the key, as long as a name in the storage takes it", async () => {
    const keyOf = async (workflowId: string) =>
      (await storeWith(undefined).put(requestOf(bytes, { workflowId }))).key;
    expect(await keyOf('b3JkZXItMQ')).toMatch(/^\/blobs\/orders\/custom\/wf\/b3JkZXItMQ\/sha256:/);
    expect(await keyOf('x'.repeat(900))).toMatch(/^\/blobs\/orders\/common\/sha256:/);
  });

  test('is not acknowledged when another store takes the place of ours meanwhile, and not taken after that', async () => {
    const ours = { namespace: 'orders', name: 'payloads' };
    await writeIdentity(driver, ours, never());
    const store = storeWith(undefined, 0, new OwnershipGuard(() => assertIdentity(driver, ours, never()), 0));
    await store.put(requestOf(bytes));
    const replaced = async function* () {
      await driver.delete(['store.json'], never());
      await writeIdentity(driver, { namespace: 'others', name: 'theirs' }, never());
      yield* inChunks(bytes);
    };
    const other = requestOf(bytes, { namespace: 'billing', body: sourceOf(replaced()) });
    await expect(store.put(other)).rejects.toBeInstanceOf(ForeignStoreError);
    const unread = async function* () {
      expect.fail('the body was asked for');
      yield bytes;
    };
    const names = await stored.names();
    await expect(store.put(requestOf(bytes, { body: sourceOf(unread()) }))).rejects.toThrow(
      'belongs to the store others/theirs, not to orders/payloads',
    );
    expect(await stored.names()).toEqual(names);
  });
});

test('a put that the storage failed casts doubt on it, one that the client spoilt does not', async () => {
  const failure = new StorageError('denied', 'access denied for s3:PutObject');
  const writes = new WriteWatch(() => Promise.reject(failure));
  const store = storeWith(undefined, 0, OURS_ALWAYS, writes);
  const spoilt = requestOf(bytes, { body: sourceOf(inChunks(bytes.subarray(1))) });
  await expect(store.put(spoilt)).rejects.toMatchObject({ code: 'digest_mismatch' });
  await writes.check();
  const takes = driver.begin;
  driver.begin = () => Promise.reject(failure);
  await expect(store.put(requestOf(bytes))).rejects.toBe(failure);
  await expect(writes.check()).rejects.toBe(failure);
  driver.begin = takes;
  await store.put(requestOf(bytes));
  await writes.check();
});

describe('a get', () => {
  test('finds what was stored under another TTL, or for ever', async () => {
    const keys = [];
    for (const ttl of [12 * SECOND, 30 * 86_400 * SECOND, undefined]) {
      keys.push((await storeWith(ttl).put(requestOf(bytes))).key);
    }
    expect(new Set(keys).size).toBe(3);
    for (const ttl of [60 * SECOND, undefined]) {
      for (const key of keys) expect((await read(storeWith(ttl), key)).equals(bytes)).toBe(true);
    }
  });

  test('finds what lies under the name without the slash, and version 1', async () => {
    const { digest } = factsOf(bytes);
    const key = `/blobs/orders/common/${digest}/${HASH}`;
    await stored.put(key.slice(1), bytes);
    await stored.put(`blobs/${digest}`, bytes);
    expect((await read(storeWith(undefined), key)).equals(bytes)).toBe(true);
    const versionOne = await storeWith(undefined).getVersionOne(digest, anyCall());
    expect((await bytesOf(versionOne)).equals(bytes)).toBe(true);
  });

  test('of what is not there, and of what is no key', async () => {
    const key = `/blobs/orders/common/${factsOf(bytes).digest}/${HASH}`;
    await expect(storeWith(undefined).get(key, anyCall())).rejects.toMatchObject({ code: 'key_not_found' });
    await expect(storeWith(undefined).get('/store.json', anyCall())).rejects.toMatchObject({
      code: 'invalid_key',
    });
  });

  test.each([bytes.length, bytes.length - 1])(
    'of damaged bytes (%d) fails before its last ones',
    async (size) => {
      const { key } = await storeWith(undefined).put(requestOf(bytes));
      await stored.put(key, someBytes(size, 'damaged'));
      await expect(read(storeWith(undefined), key)).rejects.toMatchObject({ name: 'IntegrityError' });
    },
  );

  test('of bytes that were damaged after they were read fails once more, until they are right again', async () => {
    const store = storeWith(undefined);
    const { key } = await store.put(requestOf(bytes));
    await read(store, key);
    await stored.put(key, someBytes(bytes.length, 'damaged'));
    const refused = (message: string) => ({
      name: 'IntegrityError',
      message: expect.stringContaining(message),
    });
    await expect(read(store, key)).rejects.toMatchObject(refused('were read before'));
    await expect(read(store, key)).rejects.toMatchObject(refused('have the digest'));
    await stored.put(key, bytes);
    for (let reads = 0; reads < 2; reads += 1) expect((await read(store, key)).equals(bytes)).toBe(true);
  });
});

test('equal bytes put again shortly before they expire outlive the reaping of the first', async () => {
  const store = storeWith(12 * SECOND);
  const metrics = new Metrics({ requests: () => 0, bytes: () => 0 });
  const log = pino({ level: 'silent' });
  // A process begun now: one that saw the clock leap would not follow it.
  const pass = async () => {
    const parts = { driver, ...clockOfNewStore(driver), ownership: OURS_ALWAYS, metrics, log };
    const reaper = new Reaper(parts, { intervalMs: SECOND, clockToleranceMs: 0 });
    await reaper.pass(never());
  };

  const first = await store.put(requestOf(bytes));
  vi.setSystemTime(NOON + 14_900);
  const second = await store.put(requestOf(bytes));
  expect(second).toMatchObject({ outcome: 'created' });
  expect(second.key).not.toBe(first.key);

  await pass();
  expect((await read(store, first.key)).equals(bytes)).toBe(true);
  vi.setSystemTime(NOON + 16_001);
  await pass();
  await expect(store.get(first.key, anyCall())).rejects.toMatchObject({ code: 'key_not_found' });
  vi.setSystemTime(NOON + 14_900 + 12 * SECOND);
  await pass();
  expect((await read(store, second.key)).equals(bytes)).toBe(true);
  vi.setSystemTime(NOON + 40 * SECOND);
  await pass();
  expect(await stored.names()).toEqual([]);
});
