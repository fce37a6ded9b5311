import { cpuMsOf } from '@largepayload/testing/processes/process-facts';
import { expect, test } from 'vitest';
import { readableSizes, refusedSizes } from './quantity.fixture.ts';
import { parseQuantity, QuantityError } from './quantity.ts';

test.each(readableSizes)('%j is %d bytes', (value, bytes) => {
  expect(parseQuantity(value)).toBe(bytes);
});

test.each(refusedSizes)('%j is refused', (value, message) => {
  expect(() => parseQuantity(value)).toThrow(QuantityError);
  expect(() => parseQuantity(value)).toThrow(message);
});

test('a hostile text costs nothing and is not repeated in full', () => {
  const costs = cpuMsOf(() => {
    for (const text of ['9'.repeat(1_000_000), `1e${'9'.repeat(1_000_000)}`, `.${'0'.repeat(1_000_000)}x`])
      expect(() => parseQuantity(text)).toThrow(/^.{1,200}$/);
  });
  expect(costs).toBeLessThan(5_000);
});
