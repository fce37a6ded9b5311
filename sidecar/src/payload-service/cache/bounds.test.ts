import { beforeEach, describe, expect, test } from 'vitest';
import { bytesOf } from '../../bytes/byte-streams.ts';
import { someBytes } from '../../drivers/conformance/subject.ts';
import { OVERHEAD_BYTES } from './cache-memory.ts';
import { CachedService } from './cached-service.ts';
import { answerOf, getRequest, putRequest, Upstream } from './upstream.fixture.ts';

const KIB = 1024;
const LIMIT = 64 * KIB;
/** Four such payloads fill the cache. */
const SIZE = LIMIT / 4 - OVERHEAD_BYTES;

let upstream: Upstream;
let cached: CachedService;
beforeEach(() => {
  upstream = new Upstream();
  cached = new CachedService(upstream, { limitBytes: LIMIT });
});

const contents = (count: number, size = SIZE) =>
  Array.from({ length: count }, (_, index) => someBytes(size, `${index}`));
const open = (key: string, size = SIZE, signal?: AbortSignal) => cached.get(key, getRequest(size, signal));
const read = async (key: string, size = SIZE) => await bytesOf(await open(key, size));
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Whether the payload is in memory. */
async function isCached(key: string, size = SIZE): Promise<boolean> {
  const before = upstream.asked.length;
  await read(key, size);
  return upstream.asked.length === before;
}

test('what was used least recently makes room', async () => {
  const [first = '', second = '', third = '', fourth = '', fifth = ''] = contents(5).map((each) =>
    upstream.add(each),
  );
  for (const key of [first, second, third, fourth]) await read(key);
  await read(first);
  await read(fifth);
  expect(cached.figures).toMatchObject({ evictions: 1, bytes: LIMIT });
  expect(await isCached(first)).toBe(true);
  expect(await isCached(fifth)).toBe(true);
  expect(await isCached(second)).toBe(false);
});

test('a payload of a quarter of the cache is kept; a larger one passes by, as GET and as PUT', async () => {
  for (const [size, isKept] of [
    [SIZE, true],
    [SIZE + 1, false],
  ] as const) {
    const [got, put] = contents(2, size);
    const key = upstream.add(got as Buffer);
    await read(key, size);
    expect(await isCached(key, size)).toBe(isKept);
    const result = await cached.put(putRequest(put as Buffer));
    expect(await isCached(result.key, size)).toBe(isKept);
  }
});

test('a payload that passes by is not taken faster than its reader takes it', async () => {
  const [content] = contents(1, 10 * SIZE);
  const key = upstream.add(content as Buffer);
  const gate = Promise.withResolvers<void>();
  let taken = 0;
  let yielded = 0;
  upstream.answer = async () => ({
    size: 10 * SIZE,
    async *chunks() {
      for (let at = 0; at < 10 * SIZE; at += SIZE) {
        yielded += 1;
        yield (content as Buffer).subarray(at, at + SIZE);
      }
    },
  });
  const blob = await open(key, 10 * SIZE);
  const reading = blob.readInto({
    write(chunk) {
      taken += chunk.length;
      return gate.promise;
    },
  });
  await turn();
  expect([yielded, taken]).toEqual([1, SIZE]);
  gate.resolve();
  await reading;
  expect(taken).toBe(10 * SIZE);
});

test('small payloads count with what they cost beside their bytes', async () => {
  for (const each of contents(1_000, 100)) await read(upstream.add(each), 100);
  expect(cached.figures.bytes).toBeLessThanOrEqual(LIMIT);
  expect(cached.figures).toMatchObject({
    admissions: 1_000,
    evictions: 1_000 - Math.floor(LIMIT / (OVERHEAD_BYTES + 100)),
  });
});

test('a thousand GETs of different payloads at the same time stay within the limit, and each gets its bytes', async () => {
  const all = contents(1_000);
  const keys = all.map((each) => upstream.add(each));
  let most = 0;
  upstream.answer = async (key) => {
    await turn();
    const bytes = upstream.payloads.get(key) as Buffer;
    const answer = answerOf(bytes);
    return {
      size: answer.size,
      async *chunks() {
        most = Math.max(most, cached.figures.bytes);
        await turn();
        yield* answer.chunks();
      },
    };
  };
  const found = await Promise.all(keys.map((key) => read(key)));
  for (const [index, bytes] of found.entries()) expect(bytes.equals(all[index] as Buffer)).toBe(true);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(LIMIT);
  expect(cached.figures.bytes).toBeLessThanOrEqual(LIMIT);
  expect(upstream.asked).toHaveLength(1_000);
  expect(upstream.open).toBe(0);
});

test('PUTs at the same time stay within the limit, and those without room pass by', async () => {
  const all = contents(20);
  const gate = Promise.withResolvers<void>();
  const putting = all.map(async (each) => {
    const body = {
      async readInto(sink: { write(chunk: Buffer): unknown }) {
        await sink.write(each.subarray(0, 10));
        await gate.promise;
        await sink.write(each.subarray(10));
      },
    };
    return await cached.put(putRequest(each, { body }));
  });
  await turn();
  expect(cached.figures.bytes).toBe(LIMIT);
  gate.resolve();
  await Promise.all(putting);
  expect(upstream.payloads.size).toBe(20);
  expect(cached.figures).toMatchObject({ admissions: 4, bytes: LIMIT });
});

describe('a payload that is being read', () => {
  /** Opens so many payloads and does not read them. */
  const openAll = async (count: number) =>
    await Promise.all(contents(count).map((each) => open(upstream.add(each))));

  test('does not make room, so memory stays within the limit while slow readers have all of it', async () => {
    const blobs = await openAll(4);
    const [late] = contents(5).slice(4);
    const key = upstream.add(late as Buffer);
    for (let round = 0; round < 2; round += 1) expect((await read(key)).equals(late as Buffer)).toBe(true);
    expect(cached.figures).toMatchObject({ bytes: LIMIT, evictions: 0, admissions: 4 });
    await blobs[0]?.close();
    await blobs[0]?.close();
    await read(key);
    expect(await isCached(key)).toBe(true);
    expect(cached.figures).toMatchObject({ bytes: LIMIT, evictions: 1 });
    const rest = await Promise.all(blobs.slice(1).map((blob) => bytesOf(blob)));
    expect(rest.map((bytes) => bytes.equals(contents(4)[rest.indexOf(bytes) + 1] as Buffer))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('keeps its bytes, and counts, after its window has ended', async () => {
    let now = 0;
    cached = new CachedService(upstream, { limitBytes: LIMIT, now: () => now });
    const [content = Buffer.alloc(0)] = contents(1);
    const window = { end: 1_000_000, ttl: 8_000 };
    const key = upstream.add(content, window);
    await read(key);
    const blob = await open(key);
    now = window.end;
    await read(key);
    expect(cached.figures.bytes).toBe(SIZE + OVERHEAD_BYTES);
    expect((await bytesOf(blob)).equals(content)).toBe(true);
    expect(cached.figures.bytes).toBe(0);
  });

  test('is not changed by payloads that come in while it is read', async () => {
    const [content = Buffer.alloc(0), ...others] = contents(30);
    const key = upstream.add(content);
    await read(key);
    const taken: Buffer[] = [];
    await (await open(key)).readInto({
      async write(chunk) {
        for (const each of others) await read(upstream.add(each));
        taken.push(Buffer.from(chunk));
      },
    });
    expect(Buffer.concat(taken).equals(content)).toBe(true);
  });

  test('that a reader could not be sent stays whole for the others', async () => {
    const [content = Buffer.alloc(0)] = contents(1);
    const key = upstream.add(content);
    const broken = (await open(key)).readInto({ write: () => Promise.reject(new Error('left')) });
    await expect(broken).rejects.toThrow('left');
    expect((await read(key)).equals(content)).toBe(true);
    expect(upstream.asked).toHaveLength(1);
  });
});

describe('sizes that are not true', () => {
  test('of callers make only as much room as the payloads need, and each gets what upstream has', async () => {
    for (const each of contents(4)) await read(upstream.add(each));
    const sizes = [SIZE, SIZE - 1, 0, SIZE + 1, 2 ** 40];
    const blobs = sizes.map(async (size, index) => {
      const blob = await open(upstream.add(someBytes(10, `small ${index}`)), size);
      expect(await bytesOf(blob)).toEqual(someBytes(10, `small ${index}`));
    });
    await Promise.all(blobs);
    expect(cached.figures).toMatchObject({ evictions: 1, admissions: 4 + 3 });
  });

  test.each([LIMIT, 2 ** 40, Number.MAX_SAFE_INTEGER])(
    'of upstream, such as %d bytes, take no memory',
    async (size) => {
      const [content = Buffer.alloc(0)] = contents(1);
      const key = upstream.add(content);
      upstream.answer = async () => answerOf(content, size);
      const blob = await open(key);
      expect(blob.size).toBe(size);
      expect(cached.figures.bytes).toBe(0);
      await blob.close();
      expect(upstream.open).toBe(0);
    },
  );
});

describe('without room for a payload that several callers want', () => {
  test('one gets the answer upstream, and the others ask for themselves', async () => {
    const [content = Buffer.alloc(0)] = contents(1);
    const key = upstream.add(content);
    upstream.answer = async () => {
      await turn();
      return answerOf(content, LIMIT);
    };
    const blobs = await Promise.all([open(key), open(key), open(key)]);
    expect(upstream.asked).toHaveLength(3);
    expect(upstream.open).toBe(3);
    for (const blob of blobs) await blob.close();
    expect(upstream.open).toBe(0);
    expect(cached.figures).toMatchObject({ hits: 0, misses: 3 });
  });

  test('an answer that no one takes is closed', async () => {
    const [content = Buffer.alloc(0)] = contents(1);
    const key = upstream.add(content);
    const stop = new AbortController();
    upstream.answer = async () => {
      stop.abort(new Error('left'));
      return answerOf(content, LIMIT);
    };
    await expect(open(key, SIZE, stop.signal)).rejects.toThrow('left');
    await turn();
    expect(upstream.open).toBe(0);
  });

  test('the caller who has the answer ends it by leaving', async () => {
    const [content = Buffer.alloc(0)] = contents(1);
    const key = upstream.add(content);
    const stop = new AbortController();
    let signal: AbortSignal | undefined;
    upstream.answer = async (_key, _count, request) => {
      signal = request.signal;
      return answerOf(content, LIMIT);
    };
    const blob = await open(key, SIZE, stop.signal);
    expect(signal?.aborted).toBe(false);
    stop.abort(new Error('left'));
    expect(signal?.aborted).toBe(true);
    await expect(bytesOf(blob)).rejects.toThrow('left');
    expect(upstream.open).toBe(0);
  });
});
