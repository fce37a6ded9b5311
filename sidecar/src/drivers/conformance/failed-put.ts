import { afterEach, describe, expect, test } from 'vitest';
import {
  type DriverSubject,
  factsOf,
  freshStore,
  inChunks,
  never,
  putInto,
  someBytes,
  someName,
  testWith,
} from './subject.ts';

const SIZE = 2 * 1024 * 1024;
const CHUNK = 64 * 1024;

/** A put that does not succeed leaves things as they were. */
export function describeFailedPut(subject: DriverSubject): void {
  const at = freshStore(subject);
  const name = someName('failed put');
  const bytes = someBytes(SIZE);
  const facts = factsOf(bytes);

  afterEach(async () => {
    if (subject.capabilities.leftovers === true) expect(await at.store.leftovers()).toEqual([]);
  });

  describe.each([
    ['at once', 0],
    ['after its first chunk', 1],
    ['in the middle', 16],
    ['in place of its last chunk', SIZE / CHUNK - 1],
    ['after its last chunk', SIZE / CHUNK],
  ])('whose body throws %s', (_title, chunks) => {
    const failure = new Error('the client left');
    const body = async function* () {
      yield* inChunks(bytes.subarray(0, chunks * CHUNK), CHUNK);
      throw failure;
    };

    test('rejects with that error and stores nothing', async () => {
      await expect(putInto(at.store.driver, name, body(), facts, { signal: never() })).rejects.toBe(failure);
      expect(await at.store.get(name)).toBeUndefined();
      expect(await at.store.names()).toEqual([]);
      expect(await at.store.put(name, bytes)).toBe('created');
    });

    test('keeps an object that was there, intact or not', async () => {
      for (const existing of [bytes, someBytes(10)]) {
        await at.store.put(name, existing);
        await expect(putInto(at.store.driver, name, body(), facts, { signal: never() })).rejects.toBe(
          failure,
        );
        expect(await at.store.holds(name, existing)).toBe(true);
      }
    });
  });

  test('does not let a concurrent put of the name fail', async () => {
    const failing = async function* () {
      yield* inChunks(bytes.subarray(CHUNK));
      throw new Error('damaged on the way');
    };
    const puts = Array.from({ length: 12 }, (_, index) =>
      putInto(at.store.driver, name, index % 2 === 0 ? failing() : inChunks(bytes), facts, {
        signal: never(),
      }),
    );
    const outcomes = await Promise.allSettled(puts);
    const answered = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(answered.sort()).toEqual(['created', ...Array.from({ length: 5 }, () => 'existed')]);
    expect(await at.store.holds(name, bytes)).toBe(true);
  });

  describe('aborted', () => {
    const reason = new Error('no longer wanted');
    const storedBefore = [
      ['and absent before', undefined],
      ['over an object', bytes],
      ['over an object of another size', someBytes(10)],
    ] as const;

    test.each(storedBefore)('before it begins, %s', async (_title, before) => {
      if (before !== undefined) await at.store.put(name, before);
      const signal = AbortSignal.abort(reason);
      await expect(at.store.put(name, bytes, { signal })).rejects.toBe(reason);
      expect(await at.store.holds(name, before)).toBe(true);
    });

    test.each(storedBefore)('in the middle of its body, which is then left, %s', async (_title, before) => {
      if (before !== undefined) await at.store.put(name, before);
      const stop = new AbortController();
      let yielded = 0;
      let left = false;
      const body = async function* () {
        try {
          for await (const chunk of inChunks(bytes, CHUNK)) {
            yielded += 1;
            if (yielded === 5) stop.abort(reason);
            yield chunk;
          }
        } finally {
          left = true;
        }
      };
      await expect(putInto(at.store.driver, name, body(), facts, { signal: stop.signal })).rejects.toBe(
        reason,
      );
      expect(left).toBe(true);
      expect(yielded, 'chunks taken').toBeLessThan(16);
      expect(await at.store.holds(name, before)).toBe(true);
    });

    test.each(storedBefore)('with its last chunk, %s', async (_title, before) => {
      if (before !== undefined) await at.store.put(name, before);
      const stop = new AbortController();
      const body = async function* () {
        yield* inChunks(bytes, CHUNK);
        stop.abort(reason);
      };
      await expect(putInto(at.store.driver, name, body(), facts, { signal: stop.signal })).rejects.toBe(
        reason,
      );
      expect(await at.store.holds(name, before)).toBe(true);
    });
  });

  test.each([0, 1, 3, 10])(
    'aborted %i ms after its last byte, it leaves all of it or nothing',
    async (delay) => {
      const stop = new AbortController();
      const reason = new Error('no longer wanted');
      const body = async function* () {
        yield* inChunks(bytes, CHUNK);
        setTimeout(() => stop.abort(reason), delay);
      };
      const put = putInto(at.store.driver, name, body(), facts, { signal: stop.signal });
      const outcome = await put.catch((error) => error);
      expect(['created', reason]).toContain(outcome);
      const there = await at.store.get(name);
      if (there !== undefined || outcome === 'created') expect(there?.equals(bytes)).toBe(true);
      expect(['created', 'existed']).toContain(await at.store.put(name, bytes));
      expect(await at.store.holds(name, bytes)).toBe(true);
    },
  );

  testWith(subject, 'openResources', 'releases what it held, 100 times', async () => {
    const before = await at.store.openResources();
    const failing = async function* () {
      yield* inChunks(bytes.subarray(CHUNK * 10));
      throw new Error('broken off');
    };
    const put = (index: number) =>
      putInto(at.store.driver, someName(index), failing(), facts, { signal: never() });
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, index) => put(index)));
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(await at.store.openResources()).toBe(before);
  });
}
