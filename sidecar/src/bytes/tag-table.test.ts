import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { TagTable } from './tag-table.ts';

const tagOf = (byte: number) => Buffer.alloc(16, byte);
/** All of them have their place among the same eight entries. */
const rivals = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    const digest = Buffer.alloc(32);
    digest.writeUInt32BE(index, 28);
    return digest;
  });

test('a tag is found by its digest only, and not after it was removed', () => {
  const table = new TagTable();
  const [digest, other] = rivals(2) as [Buffer, Buffer];
  expect(table.find(digest)).toBe(undefined);
  table.put(digest, { tag: tagOf(7), number: 2 ** 48 - 1 });
  expect(table.find(digest)).toEqual({ tag: tagOf(7), number: 2 ** 48 - 1 });
  expect(table.find(other)).toBe(undefined);
  table.remove(other);
  table.remove(digest);
  expect(table.find(digest)).toBe(undefined);
});

test('a tag that was found does not change when its entry gets another tag', () => {
  const table = new TagTable();
  const digest = Buffer.alloc(32, 1);
  table.put(digest, { tag: tagOf(1), number: 1 });
  const found = table.find(digest);
  table.put(digest, { tag: tagOf(2), number: 2 });
  expect(found).toEqual({ tag: tagOf(1), number: 1 });
  expect(table.find(digest)).toEqual({ tag: tagOf(2), number: 2 });
});

test('of nine digests that share eight entries, only the oldest is dropped', () => {
  const table = new TagTable();
  const digests = rivals(9);
  for (const [index, digest] of digests.slice(0, 8).entries())
    table.put(digest, { tag: tagOf(index), number: index + 1 });
  const [first, second, ...rest] = digests as [Buffer, Buffer, ...Buffer[]];
  table.put(first, { tag: tagOf(100), number: 9 });
  table.put(rest.at(-1) as Buffer, { tag: tagOf(101), number: 10 });
  expect(table.find(second)).toBe(undefined);
  for (const digest of [first, ...rest]) expect(table.find(digest)).toBeDefined();
});

test('a full table keeps its newest tags, and few of the old ones', () => {
  const table = new TagTable();
  const random = randomBytes(32 * 100_000);
  const digests = Array.from({ length: 100_000 }, (_, index) =>
    random.subarray(32 * index, 32 * (index + 1)),
  );
  for (const [index, digest] of digests.entries()) table.put(digest, { tag: tagOf(1), number: index + 1 });
  const kept = (some: Buffer[]) => some.filter((digest) => table.find(digest) !== undefined).length;
  expect(kept(digests.slice(0, 1_000))).toBeLessThan(200);
  expect(kept(digests.slice(-1_000))).toBe(1_000);
});
