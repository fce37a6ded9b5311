import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bytesOf } from '../../bytes/byte-streams.ts';
import { someBytes } from '../../drivers/conformance/subject.ts';
import { IntegrityError } from '../../errors/integrity-error.ts';
import { toServiceError } from '../../errors/to-service-error.ts';
import { CachedService } from './cached-service.ts';
import { type Answer, answerOf, getRequest, Upstream } from './upstream.fixture.ts';

const MIB = 2 ** 20;
const bytes = someBytes(300_000);
const flipped = Buffer.from(bytes);
flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;

let upstream: Upstream;
let cached: CachedService;
let key: string;
beforeEach(() => {
  upstream = new Upstream();
  cached = new CachedService(upstream, { limitBytes: 8 * MIB });
  key = upstream.add(bytes);
});
afterEach(() => {
  vi.useRealTimers();
});

const get = async () => await bytesOf(await cached.get(key, getRequest(bytes.length)));
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const WRONG: [what: string, answer: () => Answer][] = [
  ['another last byte', () => answerOf(flipped)],
  ['a byte too few', () => answerOf(bytes.subarray(1))],
  ['a byte too many', () => answerOf(Buffer.concat([bytes, Buffer.of(0)]))],
  ['fewer bytes than it announces', () => answerOf(bytes.subarray(1), bytes.length)],
  ['more bytes than it announces', () => answerOf(Buffer.concat([bytes, bytes]), bytes.length)],
  ['a smaller size than it has bytes', () => answerOf(bytes, 10)],
  ['no bytes', () => answerOf(Buffer.alloc(0))],
];

test.each(WRONG)(
  'an answer with %s is refused, and fetched once more for all who wait',
  async (_what, wrong) => {
    upstream.answer = async (_key, count) => (count === 1 ? wrong() : undefined);
    for (const found of await Promise.all([get(), get(), get()])) expect(found.equals(bytes)).toBe(true);
    expect(upstream.asked).toHaveLength(2);
    expect(cached.figures).toMatchObject({ refused: 1, admissions: 1 });
  },
);

test.each(WRONG)(
  'an answer with %s the second time too is 502 integrity, and nothing of it stays',
  async (_what, wrong) => {
    upstream.answer = async (_key, count) => (count <= 2 ? wrong() : undefined);
    for (const outcome of await Promise.allSettled([get(), get()])) {
      const { reason } = outcome as PromiseRejectedResult;
      expect(toServiceError(reason)).toMatchObject({ code: 'integrity', status: 502 });
    }
    expect(upstream.asked).toHaveLength(2);
    expect(cached.figures).toMatchObject({ refused: 2, admissions: 0, bytes: 0 });
    expect((await get()).equals(bytes)).toBe(true);
  },
);

test('another error of the second attempt is the answer', async () => {
  upstream.answer = async (_key, count) => {
    if (count === 1) return answerOf(flipped);
    throw new Error('gone');
  };
  await expect(get()).rejects.toThrow('gone');
  expect(cached.figures).toMatchObject({ refused: 1, bytes: 0 });
});

test('bytes that upstream itself finds wrong are fetched once more', async () => {
  upstream.answer = async (_key, count) =>
    count > 1 ? undefined : { size: bytes.length, chunks: () => failing(new IntegrityError('damaged')) };
  expect((await get()).equals(bytes)).toBe(true);
  expect(cached.figures.refused).toBe(1);
});

async function* failing(error: Error): AsyncIterable<Buffer> {
  yield bytes.subarray(0, 10);
  throw error;
}

test('callers get the right bytes of the second attempt when that one comes slowly', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const second = Promise.withResolvers<undefined>();
  upstream.answer = async (_key, count) => (count === 1 ? answerOf(flipped) : second.promise);
  const getting = get();
  while (upstream.asked.length < 2) await turn();
  vi.advanceTimersByTime(2_000);
  await turn();
  second.resolve(undefined);
  expect((await getting).equals(bytes)).toBe(true);
});

test('wrong bytes that were passed on because they came slowly end before the last ones, and the next GET asks again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const end = Promise.withResolvers<void>();
  upstream.answer = async (_key, count) =>
    count > 1
      ? undefined
      : {
          size: flipped.length,
          async *chunks() {
            yield flipped.subarray(0, 1_000);
            await end.promise;
            yield flipped.subarray(1_000);
          },
        };
  const getting = cached.get(key, getRequest(bytes.length));
  await turn();
  vi.advanceTimersByTime(2_000);
  const blob = await getting;
  let received = 0;
  const reading = blob.readInto({
    write(chunk) {
      received += chunk.length;
      return undefined;
    },
  });
  await turn();
  end.resolve();
  await expect(reading).rejects.toThrow(IntegrityError);
  expect(received).toBe(1_000);
  expect(cached.figures).toMatchObject({ refused: 1, admissions: 0, bytes: 0 });
  expect((await get()).equals(bytes)).toBe(true);
  expect(upstream.asked).toHaveLength(2);
});
