import { expect, test } from 'vitest';
import { Slab } from './slab.ts';

const BLOCK = 4_096;

/** Numbers from 0 to 1, the same ones in each run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

test('parts that are taken and given back in any order never overlap, and no memory is lost', () => {
  const slab = new Slab(100 * BLOCK);
  const random = generator(7);
  const taken: { mark: number; size: number; parts: readonly Buffer[] }[] = [];
  let blocks = 0;
  for (let mark = 0; mark < 5_000; mark += 1) {
    const size = Math.floor(random() * 20 * BLOCK);
    const parts = slab.take(size);
    if (parts !== undefined) {
      for (const part of parts) part.fill(mark % 251);
      expect(parts.reduce((sum, { length }) => sum + length, 0)).toBe(size);
      taken.push({ mark, size, parts });
      blocks += Math.ceil(size / BLOCK);
    } else expect(blocks * BLOCK + size).toBeGreaterThan(100 * BLOCK);
    while (taken.length > 0 && (parts === undefined || random() < 0.45)) {
      const [left] = taken.splice(Math.floor(random() * taken.length), 1);
      const whole = Buffer.concat(left?.parts ?? []);
      expect(whole.equals(Buffer.alloc(left?.size ?? 0, (left?.mark ?? 0) % 251))).toBe(true);
      for (const part of left?.parts ?? []) slab.give(part);
      blocks -= Math.ceil((left?.size ?? 0) / BLOCK);
      if (random() < 0.5) break;
    }
  }
  for (const { parts } of taken) for (const part of parts) slab.give(part);
  expect(slab.take(100 * BLOCK)).toHaveLength(1);
  expect(slab.take(1)).toBe(undefined);
});
