import { expect, test } from 'vitest';
import { sourceOf } from '../../bytes/byte-streams.ts';
import { KeptBodies } from './kept-bodies.ts';

const MIB = 1024 * 1024;

/** Whose chunks are filled anew after each write, as a socket's are. */
function bodyOf(size: number) {
  const taken = { bytes: 0 };
  const chunk = Buffer.alloc(64 * 1024);
  const chunks = function* () {
    for (; taken.bytes < size; taken.bytes += chunk.length) yield chunk.fill(taken.bytes % 251);
  };
  return { source: sourceOf(chunks()), taken };
}

test('a body is kept as it arrived, though its chunks are used again', async () => {
  const kept = await new KeptBodies(16 * MIB).keep(bodyOf(3 * MIB).source, 3 * MIB);
  const bytes = Buffer.concat(kept?.pieces ?? []);
  expect(bytes.length).toBe(3 * MIB);
  for (let at = 0; at < bytes.length; at += 64 * 1024) expect(bytes[at]).toBe(at % 251);
});

test('of many bodies at a time, those are kept that the memory has room for, and the others are not read', async () => {
  const bodies = new KeptBodies(4 * MIB);
  const all = Array.from({ length: 1_000 }, () => bodyOf(MIB));
  const results = await Promise.all(all.map(({ source }) => bodies.keep(source, MIB)));
  const kept = results.filter((result) => result !== undefined);
  expect(kept).toHaveLength(4);
  expect(bodies.bytes).toBe(4 * MIB);
  expect(all.filter(({ taken }) => taken.bytes > 0)).toHaveLength(4);
  for (const body of kept) body.release(true);
  expect(bodies.bytes).toBe(0);
  expect(await bodies.keep(bodyOf(MIB).source, MIB)).toBeDefined();
});

test('a body of more than 8 MiB is not kept, and not read', async () => {
  const { source, taken } = bodyOf(8 * MIB + 1);
  expect(await new KeptBodies(100 * MIB).keep(source, 8 * MIB + 1)).toBeUndefined();
  expect(taken.bytes).toBe(0);
});

test('a body that breaks off gives its memory back', async () => {
  const bodies = new KeptBodies(16 * MIB);
  const broken = sourceOf(
    (function* () {
      yield Buffer.alloc(1_000);
      throw new Error('the worker left');
    })(),
  );
  await expect(bodies.keep(broken, 2_000)).rejects.toThrow('the worker left');
  expect(bodies.bytes).toBe(0);
});

test('an empty body is kept', async () => {
  expect((await new KeptBodies(0).keep(sourceOf([]), 0))?.pieces).toEqual([]);
});
