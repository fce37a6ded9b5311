import { expect, test } from 'vitest';
import { parseQuantity, QuantityError } from './quantity.ts';

test.each<[number | string, number]>([
  [0, 0],
  [128_000, 128_000],
  ['128000', 128_000],
  ['+5', 5],
  ['1Ki', 1024],
  ['2Mi', 2_097_152],
  ['1Gi', 1_073_741_824],
  ['1.5Gi', 1_610_612_736],
  ['.5Ki', 512],
  ['5.Ki', 5_120],
  ['3Ti', 3 * 1024 ** 4],
  ['2Pi', 2 * 1024 ** 5],
  ['0Ei', 0],
  ['1k', 1_000],
  ['1.5M', 1_500_000],
  ['1G', 1e9],
  ['1T', 1e12],
  ['9P', 9e15],
  ['0.001E', 1e15],
  ['1e9', 1e9],
  ['1E9', 1e9],
  ['1.25e2', 125],
  ['1000e-3', 1],
  ['12e+3', 12_000],
  ['1.000', 1],
  ['0e99', 0],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
])('%j is %d bytes', (value, bytes) => {
  expect(parseQuantity(value)).toBe(bytes);
});

test.each<[number | string, RegExp]>([
  ['', /expected a size/],
  [' 1', /expected a size/],
  ['1 Gi', /expected a size/],
  ['1Gi\n', /expected a size/],
  ['Gi', /expected a size/],
  ['.', /expected a size/],
  ['.Gi', /expected a size/],
  ['1.2.3', /expected a size/],
  ['1GB', /expected a size/],
  ['1K', /expected a size/],
  ['1ki', /expected a size/],
  ['1e', /expected a size/],
  ['1e9Gi', /expected a size/],
  ['1e9.5', /expected a size/],
  ['0x10', /expected a size/],
  ['1_000', /expected a size/],
  ['١', /expected a size/],
  ['Infinity', /expected a size/],
  ['1000m', /fractions of a byte/],
  ['1u', /fractions of a byte/],
  ['1n', /fractions of a byte/],
  ['1.5', /whole number of bytes/],
  ['0.3Ki', /whole number of bytes/],
  ['1e-1', /whole number of bytes/],
  ['1e-99', /whole number of bytes/],
  [0.5, /whole number of bytes/],
  [Number.NaN, /whole number of bytes/],
  ['-1', /negative/],
  ['-1Gi', /negative/],
  [-1, /negative/],
  ['9007199254740992', /too large/],
  ['8Pi', /too large/],
  ['1Ei', /too large/],
  ['1E', /too large/],
  ['1e99', /too large/],
  ['1e999999999', /too large/],
  ['9'.repeat(50), /too large/],
  [2 ** 53, /too large/],
  [Number.POSITIVE_INFINITY, /too large/],
])('%j is refused', (value, message) => {
  expect(() => parseQuantity(value)).toThrow(QuantityError);
  expect(() => parseQuantity(value)).toThrow(message);
});

test('a hostile text costs nothing and is not repeated in full', () => {
  const start = performance.now();
  for (const text of ['9'.repeat(1_000_000), `1e${'9'.repeat(1_000_000)}`, `.${'0'.repeat(1_000_000)}x`]) {
    expect(() => parseQuantity(text)).toThrow(/^.{1,200}$/);
  }
  expect(performance.now() - start).toBeLessThan(500);
});
