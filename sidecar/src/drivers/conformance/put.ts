import { expect, test } from 'vitest';
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

const MIB = 1024 * 1024;

/** Creating, finding and replacing objects. */
export function describePut(subject: DriverSubject): void {
  const at = freshStore(subject);
  const name = someName('put');

  test('the first put of a name creates, and the second finds it', async () => {
    const bytes = someBytes(1_000);
    expect(await at.store.put(name, bytes)).toBe('created');
    expect(await at.store.put(name, bytes)).toBe('existed');
    expect(await at.store.holds(name, bytes)).toBe(true);
    expect(await at.store.names()).toEqual([name]);
  });

  test('a put that replaces writes its body over any other, also over an equal one', async () => {
    const replace = (bytes: Buffer) =>
      putInto(at.store.driver, name, inChunks(bytes), factsOf(bytes), { signal: never(), replace: true });
    const [first, second] = [someBytes(500, 'first'), someBytes(500, 'second')];
    for (const bytes of [first, second, second, someBytes(20), first]) {
      expect(await replace(bytes)).toBe('created');
      expect(await at.store.holds(name, bytes)).toBe(true);
    }
    expect(await at.store.names()).toEqual([name]);
  });

  test('exactly one of 16 concurrent puts of a name creates, and every body is read to its end', async () => {
    const bytes = someBytes(3 * MIB);
    let consumed = 0;
    const body = async function* () {
      yield* inChunks(bytes);
      consumed += 1;
    };
    const put = () => putInto(at.store.driver, name, body(), factsOf(bytes), { signal: never() });
    const outcomes = await Promise.all(Array.from({ length: 16 }, put));
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'existed')).toHaveLength(15);
    expect(consumed).toBe(16);
    expect(await at.store.holds(name, bytes)).toBe(true);
  });

  test('concurrent puts of different names do not mix', async () => {
    const blobs = Array.from({ length: 24 }, (_, index) => someBytes(700_000 + index, `blob ${index}`));
    const outcomes = await Promise.all(blobs.map((bytes, index) => at.store.put(someName(index), bytes)));
    expect(new Set(outcomes)).toEqual(new Set(['created']));
    for (const [index, bytes] of blobs.entries()) {
      expect((await at.store.get(someName(index)))?.equals(bytes), `blob ${index}`).toBe(true);
    }
  });

  test('the body of a hit is read to its end', async () => {
    const bytes = someBytes(300_000);
    await at.store.put(name, bytes);
    let consumed = false;
    const body = async function* () {
      yield* inChunks(bytes, 10_000);
      consumed = true;
    };
    expect(await putInto(at.store.driver, name, body(), factsOf(bytes), { signal: never() })).toBe('existed');
    expect(consumed).toBe(true);
  });

  test('an object of another size is replaced', async () => {
    await at.store.put(name, someBytes(10));
    expect(await at.store.put(name, someBytes(2 * MIB))).toBe('created');
    expect(await at.store.holds(name, someBytes(2 * MIB))).toBe(true);
    expect(await at.store.put(name, someBytes(0))).toBe('created');
    expect(await at.store.holds(name, someBytes(0))).toBe(true);
  });

  testWith(
    subject,
    'digestsAreKept',
    'an object put with other content of the same size is replaced',
    async () => {
      await at.store.put(name, someBytes(1_000, 'other'));
      expect(await at.store.put(name, someBytes(1_000))).toBe('created');
      expect(await at.store.holds(name, someBytes(1_000))).toBe(true);
    },
  );

  testWith(
    subject,
    ['damage', 'digestsAreKept'],
    'an object altered in storage is replaced, not taken for a hit',
    async () => {
      for (const size of [1_000, 2 * MIB + 1]) {
        const bytes = someBytes(size);
        await at.store.put(name, bytes);
        const altered = Buffer.from(bytes);
        altered[size - 1] = (altered[size - 1] ?? 0) ^ 1;
        await at.store.damage(name, altered);
        expect(await at.store.holds(name, altered)).toBe(true);
        expect(await at.store.put(name, bytes)).toBe('created');
        expect(await at.store.holds(name, bytes)).toBe(true);
        expect(await at.store.put(name, bytes)).toBe('existed');
      }
    },
  );

  testWith(subject, 'damage', 'an object cut short in storage is replaced', async () => {
    const bytes = someBytes(2 * MIB);
    await at.store.put(name, bytes);
    await at.store.damage(name, bytes.subarray(0, MIB));
    expect(await at.store.put(name, bytes)).toBe('created');
    expect(await at.store.holds(name, bytes)).toBe(true);
  });

  testWith(
    subject,
    ['damage', 'digestsAreKept'],
    'concurrent puts over an altered object leave the right one',
    async () => {
      const bytes = someBytes(600_000);
      await at.store.put(name, bytes);
      await at.store.damage(name, someBytes(600_000, 'altered'));
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => at.store.put(name, bytes)));
      expect(outcomes).toContain('created');
      expect(await at.store.holds(name, bytes)).toBe(true);
      expect(await at.store.names()).toEqual([name]);
    },
  );

  test('keepExisting leaves any object as it is', async () => {
    expect(await at.store.put(name, someBytes(10, 'first'), { keepExisting: true })).toBe('created');
    expect(await at.store.put(name, someBytes(10, 'second'), { keepExisting: true })).toBe('existed');
    expect(await at.store.put(name, someBytes(5_000, 'third'), { keepExisting: true })).toBe('existed');
    expect(await at.store.holds(name, someBytes(10, 'first'))).toBe(true);
  });

  test('of 16 different objects put at once with keepExisting exactly one stays', async () => {
    const blobs = Array.from({ length: 16 }, (_, index) => someBytes(100 + index, `store ${index}`));
    const outcomes = await Promise.all(
      blobs.map((bytes) => at.store.put(name, bytes, { keepExisting: true })),
    );
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(await at.store.holds(name, blobs[outcomes.indexOf('created')])).toBe(true);
  });

  test('empty objects', async () => {
    expect(await at.store.put(name, Buffer.alloc(0))).toBe('created');
    expect(await at.store.put(name, Buffer.alloc(0))).toBe('existed');
    expect(await at.store.holds(name, Buffer.alloc(0))).toBe(true);
    expect(await at.store.list(name.slice(0, name.indexOf('/') + 1))).toEqual([{ name, size: 0 }]);
  });

  test.each([
    ['one byte at a time', 5_000, 1],
    ['in 100,003 byte chunks over several write batches', 3 * MIB + 7, 100_003],
    ['in one chunk of 512 KiB less a byte', 512 * 1024 - 1, MIB],
    ['in one chunk of 512 KiB', 512 * 1024, MIB],
    ['in chunks of 512 KiB and one byte more', 512 * 1024 + 1, 512 * 1024],
    ['in one chunk of 5 MiB', 5 * MIB, 5 * MIB],
  ])('a body %s is stored whole', async (_title, size, chunkSize) => {
    const bytes = someBytes(size);
    const body = inChunks(bytes, chunkSize);
    expect(await putInto(at.store.driver, name, body, factsOf(bytes), { signal: never() })).toBe('created');
    expect(await at.store.holds(name, bytes)).toBe(true);
  });

  test('chunks without bytes before, between and after the others change nothing', async () => {
    const bytes = someBytes(700_000);
    const body = async function* () {
      yield Buffer.alloc(0);
      for await (const chunk of inChunks(bytes, 50_000)) {
        yield chunk;
        yield Buffer.alloc(0);
      }
      for (let index = 0; index < 5_000; index += 1) yield Buffer.alloc(0);
    };
    expect(await putInto(at.store.driver, name, body(), factsOf(bytes), { signal: never() })).toBe('created');
    expect(await at.store.holds(name, bytes)).toBe(true);
  });

  test('20 MiB are streamed both ways', async () => {
    const bytes = someBytes(20 * MIB);
    expect(await at.store.put(name, bytes)).toBe('created');
    expect(await at.store.holds(name, bytes)).toBe(true);
    expect(await at.store.put(name, bytes)).toBe('existed');
  });

  test.each([
    [
      'segments of 255 bytes',
      `expires-20400101T000000Z-30d/${'n'.repeat(255)}/custom/${'p'.repeat(255)}/sha256:x`,
    ],
    ['a leading slash', '/blobs/orders/common/sha256:1/sha256:2'],
    ['one segment', 'store.json'],
    ['characters that mean something elsewhere', 'blobs/a.b_c-d..e/common/sha256:1/sha256:2'],
  ])('an object can have a name with %s', async (_title, long) => {
    expect(await at.store.put(long, someBytes(10))).toBe('created');
    expect(await at.store.put(long, someBytes(10))).toBe('existed');
    expect(await at.store.holds(long, someBytes(10))).toBe(true);
  });

  test('an object can have a name of as many bytes as `longestName`', async () => {
    const { longestName } = at.store.driver;
    const long = [255, 255, 255, longestName - 770, 1].map((length) => 'a'.repeat(length)).join('/');
    expect(long).toHaveLength(longestName);
    expect(await at.store.put(long, someBytes(10))).toBe('created');
    expect(await at.store.holds(long, someBytes(10))).toBe(true);
    expect(await at.store.names()).toEqual([long]);
  });
}
