import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { type WorkOutcome, WorkQueue, type WorkQueueOptions } from './work-queue.ts';

afterEach(() => vi.useRealTimers());

/** A queue whose work takes until the test says so, or fails as it says. */
function queueOf(options: Partial<WorkQueueOptions> = {}) {
  const begun: string[] = [];
  const outcomes: WorkOutcome[] = [];
  const ends: { key: string; resolve: () => void; reject: (error: Error) => void }[] = [];
  const work = (key: string) => {
    begun.push(key);
    return new Promise<void>((resolve, reject) => ends.push({ key, resolve, reject }));
  };
  const queue = new WorkQueue({
    ...{ work, concurrency: 1, delays: { firstMs: 1_000, longestMs: 8_000 } },
    onDone: (outcome) => outcomes.push(outcome),
    ...options,
  });
  /** Ends what is under way with that key. */
  const end = async (key: string, failure?: Error) => {
    const index = ends.findIndex((one) => one.key === key);
    const [one] = ends.splice(index, 1);
    if (failure) one?.reject(failure);
    else one?.resolve();
    await settle();
  };
  const stop = new AbortController();
  return { queue, begun, outcomes, end, stop, run: () => queue.run(stop.signal) };
}

/** Lets everything happen that waits for no timer. */
async function settle(): Promise<void> {
  for (let n = 0; n < 10; n += 1) await Promise.resolve();
}

test('a key is worked on once however often it was added, in the order of the first time', async () => {
  const { queue, begun, end, run, stop } = queueOf();
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
  expect(queue.depth).toBe(3);
  const running = run();
  await settle();
  for (const key of ['a', 'b', 'c']) await end(key);
  expect(begun).toEqual(['a', 'b', 'c']);
  expect(queue.depth).toBe(0);
  stop.abort();
  await running;
});

test('a key added while it is worked on comes again, once, after the others and not at the same time', async () => {
  const { queue, begun, end, run } = queueOf({ concurrency: 3 });
  run();
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
  await settle();
  queue.add('a');
  queue.add('a');
  expect(begun).toEqual(['a', 'b', 'c']);
  await end('b');
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
  await end('a');
  await end('c');
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'a']);
  await end('a');
  await end('d');
  expect(begun.length).toBe(5);
});

test('work that adds its own key at once never runs twice at the same time', async () => {
  let running = 0;
  let most = 0;
  let times = 0;
  const queue: WorkQueue = new WorkQueue({
    concurrency: 4,
    work: async (key) => {
      times += 1;
      if (times < 5) queue.add(key);
      running += 1;
      most = Math.max(most, running);
      await sleep(2);
      running -= 1;
    },
  });
  queue.run(new AbortController().signal);
  queue.add('a');
  await vi.waitUntil(() => times === 5 && running === 0);
  expect(most).toBe(1);
});

test('a key that fails comes again after ever longer delays, until it succeeds', async () => {
  vi.useFakeTimers();
  const { queue, begun, outcomes, end, run } = queueOf();
  run();
  queue.add('a');
  for (const full of [1_000, 2_000, 4_000, 8_000, 8_000]) {
    await settle();
    await end('a', new Error('not yet'));
    const { retryInMs = 0 } = outcomes.at(-1) ?? {};
    expect(retryInMs).toBeGreaterThanOrEqual(full / 2);
    expect(retryInMs).toBeLessThanOrEqual(full);
    const before = begun.length;
    await vi.advanceTimersByTimeAsync(full / 2 - 1);
    expect(begun.length).toBe(before);
    await vi.advanceTimersByTimeAsync(full / 2 + 1);
    expect(begun.length).toBe(before + 1);
  }
  await end('a');
  expect(outcomes.at(-1)).toMatchObject({ key: 'a', failure: undefined, retryInMs: undefined });
  queue.add('a');
  await settle();
  await end('a', new Error('again'));
  expect(outcomes.at(-1)?.retryInMs).toBeLessThanOrEqual(1_000);
});

test('a failing key delays no other, and comes at once when it is added', async () => {
  vi.useFakeTimers();
  const { queue, begun, end, run } = queueOf();
  run();
  queue.add('bad');
  queue.add('good');
  await settle();
  await end('bad', new Error('no'));
  expect(begun).toEqual(['bad', 'good']);
  await end('good');
  queue.add('bad');
  await settle();
  expect(begun).toEqual(['bad', 'good', 'bad']);
  await end('bad');
  // The delay that it overtook is over with.
  await vi.advanceTimersByTimeAsync(60_000);
  expect(begun.length).toBe(3);
});

test('a key that is added for several later times comes at the earliest', async () => {
  vi.useFakeTimers();
  const { queue, begun, end, run } = queueOf();
  run();
  queue.addAfter('a', 5_000);
  queue.addAfter('a', 1_000);
  queue.addAfter('a', 9_000);
  await vi.advanceTimersByTimeAsync(999);
  expect(begun).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(['a']);
  queue.addAfter('a', 1_000);
  await end('a');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(begun).toEqual(['a', 'a']);
  await end('a');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(begun.length).toBe(2);
});

test('a queue that is stopped ends the work that has begun and begins no other', async () => {
  vi.useFakeTimers();
  const { queue, begun, end, run, stop } = queueOf({ concurrency: 2 });
  let isOver = false;
  const running = run().then(() => {
    isOver = true;
  });
  for (const key of ['a', 'b', 'c']) queue.add(key);
  queue.addAfter('d', 10);
  await settle();
  queue.add('a');
  stop.abort();
  await settle();
  expect(isOver).toBe(false);
  await end('a');
  await end('b', new Error('failed while stopping'));
  await running;
  queue.add('e');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(begun).toEqual(['a', 'b']);
  expect(queue.depth).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('the outcome of a key has how long it waited and took', async () => {
  const outcomes: WorkOutcome[] = [];
  const work = async (key: string) => {
    await sleep(30);
    if (key === 'b') throw 'no error';
  };
  const queue = new WorkQueue({ work, concurrency: 1, onDone: (outcome) => outcomes.push(outcome) });
  const stop = new AbortController();
  queue.add('a');
  queue.add('b');
  queue.run(stop.signal);
  await vi.waitUntil(() => outcomes.length === 2);
  stop.abort();
  const [a, b] = outcomes;
  expect(a?.waitedSeconds).toBeLessThan(0.02);
  expect(a?.tookSeconds).toBeGreaterThan(0.025);
  expect(b?.waitedSeconds).toBeGreaterThan(0.025);
  expect(b?.failure?.message).toBe('no error');
});
