import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ReadBuffers } from './read-buffers.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A buffer whose memory was freed has no bytes. */
const sizes = (buffers: readonly Buffer[]) => buffers.map(({ length }) => length);
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

test.each([1, 64 * KIB, 64 * KIB + 1, 128 * KIB, 1_000_000, MIB])(
  'a buffer for %d bytes holds them, and wastes less than 32 KiB',
  (size) => {
    const { length } = new ReadBuffers().take(size);
    expect(length).toBeGreaterThanOrEqual(size);
    expect(length).toBeLessThan(size + 32 * KIB);
  },
);

test('a buffer is used again for a read of about its size only, and by one read at a time', () => {
  const buffers = new ReadBuffers();
  const first = buffers.take(128 * KIB);
  const second = buffers.take(128 * KIB);
  expect(second).not.toBe(first);
  buffers.giveBack(first);
  expect(buffers.take(300 * KIB)).not.toBe(first);
  expect(buffers.take(127 * KIB)).toBe(first);
  expect(buffers.take(127 * KIB)).not.toBe(first);
});

test('however many are given back, of however many sizes, at most 8 MiB are kept; the memory of the others is freed', () => {
  const buffers = new ReadBuffers();
  const taken = Array.from({ length: 64 }, (_, index) => buffers.take((1 + (index % 16)) * 64 * KIB));
  for (const buffer of taken) buffers.giveBack(buffer);
  const kept = sum(sizes(taken.filter(({ length }) => length > 64 * KIB)));
  expect(kept).toBeGreaterThan(7 * MIB);
  expect(kept).toBeLessThanOrEqual(8 * MIB);
});

test('after ten seconds without reads the memory of all is freed, and not before', () => {
  const buffers = new ReadBuffers();
  const taken = Array.from({ length: 4 }, () => buffers.take(MIB));
  for (const buffer of taken) buffers.giveBack(buffer);
  vi.advanceTimersByTime(9_000);
  buffers.giveBack(buffers.take(MIB));
  vi.advanceTimersByTime(9_000);
  expect(sizes(taken)).toEqual([MIB, MIB, MIB, MIB]);
  const inUse = buffers.take(MIB);
  vi.advanceTimersByTime(1_000);
  expect(sizes(taken).sort()).toEqual([0, 0, 0, MIB]);
  expect(inUse).toHaveLength(MIB);
  expect(buffers.take(MIB)).toHaveLength(MIB);
});
