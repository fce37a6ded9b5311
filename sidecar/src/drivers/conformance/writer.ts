import { afterEach, describe, expect, test } from 'vitest';
import { free } from '../../bytes/buffer-pool.ts';
import type { ObjectWriter } from '../../bytes/object-writer.ts';
import { IntegrityError } from '../../errors/integrity-error.ts';
import { type DriverSubject, factsOf, freshStore, never, someBytes, someName, testWith } from './subject.ts';

const MIB = 1024 * 1024;
const CHUNK = 64 * 1024;
const SIZES = [0, 1, 2 * MIB, 9 * MIB];

/** The writer of an object: the order of its calls, and how many bytes it takes. */
export function describeWriter(subject: DriverSubject): void {
  const at = freshStore(subject);
  const name = someName('writer');
  const reason = new Error('no longer wanted');

  afterEach(async () => {
    if (subject.capabilities.leftovers === true) expect(await at.store.leftovers()).toEqual([]);
  });

  const begin = async (bytes: Buffer, signal = never()) =>
    await at.store.driver.begin(name, factsOf(bytes), { signal });

  describe.each(SIZES)('an object of %i bytes', (size) => {
    const bytes = someBytes(size);

    // A smaller object is not sent before its commit.
    const needed = size > 8 * MIB ? (['putsLetRead'] as const) : [];
    testWith(subject, needed, 'cannot be seen before its commit, however long that takes', async () => {
      const writer = await begin(bytes);
      await writeChunks(writer, bytes);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await at.store.get(name)).toBeUndefined();
      expect(await writer.commit()).toBe('created');
      expect(await at.store.holds(name, bytes)).toBe(true);
    });

    test.each([7_919, CHUNK, MIB])(
      'is stored right though its chunks of %i bytes are filled anew or freed once they are written',
      async (chunkSize) => {
        for (const [index, use] of [overwrite, free].entries()) {
          const named = someName(`lent-${index}`);
          const writer = await at.store.driver.begin(named, factsOf(bytes), { signal: never() });
          for (let from = 0; from < size; from += chunkSize) {
            const chunk = Buffer.allocUnsafeSlow(Math.min(chunkSize, size - from));
            bytes.copy(chunk, 0, from);
            await writer.write(chunk);
            use(chunk);
          }
          expect(await writer.commit()).toBe('created');
          expect(await at.store.holds(named, bytes)).toBe(true);
        }
      },
    );

    test('is not there after an abort in place of its commit', async () => {
      const writer = await begin(bytes);
      await writeChunks(writer, bytes);
      await writer.abort(reason);
      await expect(writer.commit()).rejects.toBe(reason);
      expect(await at.store.get(name)).toBeUndefined();
      expect(await at.store.put(name, bytes)).toBe('created');
    });

    test('is committed once: a second commit and a later write reject, a later abort does nothing', async () => {
      const writer = await begin(bytes);
      await writeChunks(writer, bytes);
      expect(await writer.commit()).toBe('created');
      await expect(writer.commit()).rejects.toThrow(/committed already/);
      expect(() => writer.write(Buffer.from('x'))).toThrow(/committed already/);
      await writer.abort(reason);
      expect(await at.store.holds(name, bytes)).toBe(true);
    });

    test('a commit under way is not undone by an abort', async () => {
      const writer = await begin(bytes);
      await writeChunks(writer, bytes);
      const committing = writer.commit();
      await writer.abort(reason);
      expect(await committing).toBe('created');
      expect(await at.store.holds(name, bytes)).toBe(true);
    });

    test('one byte too many is refused, and nothing is stored', async () => {
      const writer = await begin(bytes);
      await writeChunks(writer, bytes);
      expect(() => writer.write(Buffer.from('x'))).toThrow(IntegrityError);
      await expect(writer.commit()).rejects.toBeInstanceOf(IntegrityError);
      expect(await at.store.get(name)).toBeUndefined();
    });
  });

  test.each([1, 2 * MIB, 9 * MIB])('a commit of %i bytes that lacks one is refused', async (size) => {
    const bytes = someBytes(size);
    for (const existing of [undefined, bytes]) {
      if (existing !== undefined) await at.store.put(name, existing);
      const writer = await begin(bytes);
      await writeChunks(writer, bytes.subarray(1));
      await expect(writer.commit()).rejects.toThrow(`${size - 1} bytes instead of the promised ${size}`);
      expect(await at.store.holds(name, existing)).toBe(true);
    }
  });

  test.each([1, 2 * MIB, 9 * MIB])(
    'the last chunk of %i other bytes than were promised is refused, and nothing is stored',
    async (size) => {
      const other = someBytes(size, 'other');
      for (const existing of [undefined, someBytes(size)]) {
        if (existing !== undefined) await at.store.put(name, existing);
        const writer = await begin(someBytes(size));
        await expect(writeChunks(writer, other)).rejects.toBeInstanceOf(IntegrityError);
        await expect(writer.commit()).rejects.toBeInstanceOf(IntegrityError);
        expect(await at.store.holds(name, existing)).toBe(true);
      }
    },
  );

  test.each([2 * MIB, 9 * MIB])(
    'an abort during a write of %i bytes ends it, and each later one, with the reason',
    async (size) => {
      const bytes = someBytes(size);
      const writer = await begin(bytes);
      let pending: Promise<void> | undefined;
      for (let from = 0; from < size - CHUNK && pending === undefined; from += CHUNK) {
        pending = writer.write(Buffer.from(bytes.subarray(from, from + CHUNK)));
      }
      const outcome = pending?.then(
        () => undefined,
        (error) => error,
      );
      await writer.abort(reason);
      if (outcome !== undefined) expect(await outcome).toBe(reason);
      expect(() => writer.write(bytes.subarray(0, 1))).toThrow(reason);
      await writer.abort(new Error('again'));
      await expect(writer.commit()).rejects.toBe(reason);
      expect(await at.store.get(name)).toBeUndefined();
    },
  );

  test.each([2 * MIB, 9 * MIB])(
    'an aborted signal ends the writes and the commit of %i bytes',
    async (size) => {
      const bytes = someBytes(size);
      for (const written of [0, CHUNK, size]) {
        const stop = new AbortController();
        const writer = await begin(bytes, stop.signal);
        await writeChunks(writer, bytes.subarray(0, written));
        stop.abort(reason);
        expect(() => writer.write(bytes.subarray(0, 1))).toThrow(reason);
        await expect(writer.commit()).rejects.toBe(reason);
        await writer.abort(reason);
        expect(await at.store.get(name)).toBeUndefined();
      }
    },
  );

  testWith(subject, 'openResources', '100 aborted writers release what they held', async () => {
    const before = await at.store.openResources();
    for (const size of [MIB, 9 * MIB]) {
      const bytes = someBytes(size);
      for (let index = 0; index < 50; index += 1) {
        const writer = await begin(bytes);
        await writeChunks(writer, bytes.subarray(0, CHUNK * (index % 3)));
        await writer.abort(reason);
      }
    }
    expect(await at.store.openResources()).toBe(before);
  });
}

function overwrite(chunk: Buffer): void {
  chunk.fill('other bytes');
}

async function writeChunks(writer: ObjectWriter, bytes: Buffer): Promise<void> {
  for (let from = 0; from < bytes.length; from += CHUNK) {
    await writer.write(Buffer.from(bytes.subarray(from, from + CHUNK)));
  }
}
