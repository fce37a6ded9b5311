import { eventually } from '@largepayload/testing/waiting/eventually';
import { describe, expect, test } from 'vitest';
import { BufferPool, free } from './buffer-pool.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('a pool of buffers', () => {
  test.each([
    [0, 0],
    [1, 1],
    [64 * KIB - 1, 64 * KIB - 1],
    [64 * KIB, 128 * KIB],
    [128 * KIB + 1, 256 * KIB],
    [MIB, MIB],
    [MIB + 1, MIB + 1],
  ])('gives a buffer for %i bytes that takes %i bytes of memory', (bytes, size) => {
    const pool = new BufferPool();
    expect(pool.take(bytes).length).toBe(size);
    expect(pool.sizeFor(bytes)).toBe(size);
  });

  test('gives a buffer to one user at a time, and again only after it was given back', () => {
    const pool = new BufferPool();
    const first = pool.take(MIB);
    expect(pool.take(MIB)).not.toBe(first);
    pool.give(first);
    expect(pool.take(600 * KIB)).toBe(first);
    expect(pool.take(MIB)).not.toBe(first);
    expect(pool.keptBytes).toBe(0);
  });

  test('keeps no more bytes than its limit, and frees the others', () => {
    const pool = new BufferPool(2 * MIB);
    const taken = [1, 2, 3].map(() => pool.take(MIB));
    for (const buffer of taken) pool.give(buffer);
    expect(pool.keptBytes).toBe(2 * MIB);
    expect(taken.map((buffer) => buffer.length)).toEqual([MIB, MIB, 0]);
  });

  test('keeps no small buffers', () => {
    const pool = new BufferPool();
    pool.give(pool.take(1_000));
    expect(pool.keptBytes).toBe(0);
  });

  test('frees its memory when it was not used for a while, and can be used afterwards', async () => {
    const pool = new BufferPool(MIB, 20);
    const buffer = pool.take(MIB);
    pool.give(buffer);
    await eventually('it is freed', () => pool.keptBytes === 0);
    expect(buffer.length).toBe(0);
    expect(pool.take(MIB).length).toBe(MIB);
  });
});

describe('a chunk that is freed', () => {
  test('is empty', () => {
    const chunk = Buffer.allocUnsafeSlow(1_000);
    free(chunk);
    expect(chunk.length).toBe(0);
  });

  test('is left as it is when it shares its memory with others', () => {
    const whole = Buffer.alloc(1_000, 'a');
    const shared = [whole.subarray(0, 999), whole.subarray(1), Buffer.from('of the pool of Node')];
    for (const chunk of shared) free(chunk);
    expect(whole.toString()).toBe('a'.repeat(1_000));
    expect(shared.map((chunk) => chunk.length)).toEqual([999, 999, 19]);
    const betweenThreads = Buffer.from(new SharedArrayBuffer(10));
    free(betweenThreads);
    expect(betweenThreads.length).toBe(10);
  });
});
