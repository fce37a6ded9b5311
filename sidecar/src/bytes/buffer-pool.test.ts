import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { BufferPool } from './buffer-pool.ts';

const MIB = 1024 * 1024;

test('memory that was given back is used again, and no more is kept than allowed', () => {
  const buffers = new BufferPool(1.5 * MIB, 60_000);
  const first = buffers.take(MIB);
  expect(first.length).toBe(MIB);
  buffers.give(first);
  expect(buffers.take(600 * 1024)).toBe(first);
  buffers.give(first);
  const second = buffers.take(128 * 1024);
  const third = Buffer.allocUnsafeSlow(first.length);
  buffers.give(second);
  buffers.give(third);
  expect(third.length).toBe(0);
  expect(buffers.keptBytes).toBe(first.length + second.length);
});

test('kept memory is freed when none was given back for a while', async () => {
  const buffers = new BufferPool(16 * MIB, 50);
  const taken = [buffers.take(MIB), buffers.take(100_000)];
  for (const buffer of taken) buffers.give(buffer);
  expect(buffers.keptBytes).toBeGreaterThanOrEqual(MIB);
  await eventually('it is freed', () => buffers.keptBytes === 0);
  expect(taken.map(({ length }) => length)).toEqual([0, 0]);
});
