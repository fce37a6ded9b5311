import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bytesOf } from '../../bytes/byte-streams.ts';
import { someBytes } from '../../drivers/conformance/subject.ts';
import { ServiceError } from '../../errors/service-error.ts';
import { CachedService } from './cached-service.ts';
import { type Answer, getRequest, Upstream } from './upstream.fixture.ts';

const MIB = 2 ** 20;
const bytes = someBytes(300_000);

let upstream: Upstream;
let cached: CachedService;
let key: string;
/** Signals of the requests upstream. */
let signals: AbortSignal[];
beforeEach(() => {
  upstream = new Upstream();
  cached = new CachedService(upstream, { limitBytes: 8 * MIB });
  key = upstream.add(bytes);
  signals = [];
});
afterEach(() => {
  vi.useRealTimers();
});

const get = async (signal?: AbortSignal, size = bytes.length) =>
  await bytesOf(await cached.get(key, getRequest(size, signal)));
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Each answer upstream comes when it is let go. */
function holdAnswers(answer: () => Promise<Answer | undefined> = async () => undefined): () => void {
  const gate = Promise.withResolvers<void>();
  upstream.answer = async (_key, _count, { signal }) => {
    signals.push(signal);
    await gate.promise;
    return await answer();
  };
  return gate.resolve;
}

/** An answer whose chunks come one by one. */
function slowAnswer(content = bytes) {
  const gates = Array.from(content.subarray(0, Math.ceil(content.length / 1000)), () =>
    Promise.withResolvers<void>(),
  );
  const answer: Answer = {
    size: content.length,
    async *chunks() {
      for (const [index, gate] of gates.entries()) {
        await gate.promise;
        yield content.subarray(index * 1000, index * 1000 + 1000);
      }
    },
  };
  const release = (upTo: number) => {
    for (const gate of gates.slice(0, upTo)) gate.resolve();
  };
  return { answer, release, chunks: gates.length };
}

test('a hundred GETs of one key at the same time are one GET upstream', async () => {
  const go = holdAnswers();
  const all = Array.from({ length: 100 }, () => get());
  await turn();
  go();
  for (const found of await Promise.all(all)) expect(found.equals(bytes)).toBe(true);
  expect(upstream.asked).toHaveLength(1);
  expect(cached.figures).toMatchObject({ hits: 99, misses: 1, admissions: 1 });
});

test('an error upstream is the answer to all who wait for it, and the next GET asks again', async () => {
  const failure = new ServiceError('storage_timeout', 'no answer');
  const go = holdAnswers(() => Promise.reject(failure));
  const all = Array.from({ length: 10 }, () => get());
  await turn();
  go();
  for (const outcome of await Promise.allSettled(all)) {
    expect(outcome).toEqual({ status: 'rejected', reason: failure });
  }
  upstream.answer = async () => undefined;
  expect((await get()).equals(bytes)).toBe(true);
  expect(upstream.asked).toHaveLength(2);
});

test('GETs that expect another size are not answered together, as upstream may refuse one of them', async () => {
  const refusal = new ServiceError('expected_length_mismatch', 'not that size');
  upstream.answer = async (_key, _count, { expectedSize }) => {
    await turn();
    if (expectedSize !== bytes.length) throw refusal;
    return undefined;
  };
  const outcomes = await Promise.allSettled([get(undefined, 5), get(), get(undefined, 5), get()]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
  expect(upstream.asked).toHaveLength(2);
});

test.each(['the first', 'the second', 'the last'])(
  '%s of three who leaves does not disturb the others',
  async (who) => {
    const go = holdAnswers();
    const stops = ['the first', 'the second', 'the last'].map((name) => ({
      name,
      stop: new AbortController(),
    }));
    const all = Promise.allSettled(stops.map(({ stop }) => get(stop.signal)));
    await turn();
    for (const { name, stop } of stops) if (name === who) stop.abort(new Error('left'));
    await turn();
    expect(signals[0]?.aborted).toBe(false);
    go();
    const outcomes = await all;
    for (const [index, outcome] of outcomes.entries()) {
      if (stops[index]?.name === who) expect(outcome).toMatchObject({ reason: { message: 'left' } });
      else expect(outcome).toMatchObject({ status: 'fulfilled' });
    }
    expect(upstream.asked).toHaveLength(1);
  },
);

test('the last one who leaves ends the GET upstream, before its answer', async () => {
  const go = holdAnswers();
  const stops = [new AbortController(), new AbortController()];
  const all = stops.map(({ signal }) => get(signal));
  await turn();
  stops[0]?.abort();
  expect(signals[0]?.aborted).toBe(false);
  stops[1]?.abort();
  await Promise.allSettled(all);
  expect(signals[0]?.aborted).toBe(true);
  go();
  await turn();
  expect(upstream.open).toBe(0);
  expect(cached.figures).toMatchObject({ bytes: 0, admissions: 0 });
});

test('the last one who leaves ends the GET upstream, in the middle of its bytes', async () => {
  const { answer, release } = slowAnswer();
  const stop = new AbortController();
  upstream.answer = async () => answer;
  const getting = get(stop.signal);
  await turn();
  release(10);
  await turn();
  expect(cached.figures.bytes).toBeGreaterThan(bytes.length);
  stop.abort(new Error('left'));
  await expect(getting).rejects.toThrow('left');
  await turn();
  expect(upstream.open).toBe(0);
  expect(cached.figures).toMatchObject({ bytes: 0, admissions: 0 });
});

test('who asks after the last one has left gets a GET upstream of their own', async () => {
  const stop = new AbortController();
  const go = holdAnswers();
  const first = get(stop.signal);
  await turn();
  stop.abort();
  await expect(first).rejects.toThrow();
  const second = get();
  go();
  expect((await second).equals(bytes)).toBe(true);
  expect(upstream.asked).toHaveLength(2);
});

test('a payload that arrives slowly is passed on as it arrives, but for bytes that are not verified as a whole', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { answer, release, chunks } = slowAnswer();
  upstream.answer = async () => answer;
  const stop = new AbortController();
  const received = [0, 0];
  const reading = [stop.signal, undefined].map(async (signal, index) => {
    const blob = await cached.get(key, getRequest(bytes.length, signal));
    const taken: Buffer[] = [];
    await blob.readInto({
      write(chunk) {
        received[index] = (received[index] ?? 0) + chunk.length;
        taken.push(Buffer.from(chunk));
        return undefined;
      },
    });
    return Buffer.concat(taken);
  });
  await turn();
  release(10);
  await turn();
  expect(received).toEqual([0, 0]);
  vi.advanceTimersByTime(2_000);
  for (let round = 0; round < 5; round += 1) await turn();
  expect(received).toEqual([10_000, 10_000]);
  stop.abort(new Error('left'));
  await expect(reading[0]).rejects.toThrow('left');
  release(chunks);
  expect((await reading[1])?.equals(bytes)).toBe(true);
  expect((await get()).equals(bytes)).toBe(true);
  expect(upstream.asked).toHaveLength(1);
});

test('the last one who leaves a payload that arrives slowly ends the GET upstream', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { answer } = slowAnswer();
  upstream.answer = async () => answer;
  const getting = cached.get(key, getRequest(bytes.length));
  await turn();
  vi.advanceTimersByTime(2_000);
  await (await getting).close();
  await turn();
  expect(upstream.open).toBe(0);
  expect(cached.figures.bytes).toBe(0);
});
