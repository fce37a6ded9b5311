import { expect, test } from 'vitest';
import { parseCacheSize } from './cache-size.ts';
import { UsageError } from './exit-codes.ts';

test.each([
  ['0', 0],
  ['1Mi', 2 ** 20],
  ['64Mi', 2 ** 26],
  ['16Gi', 2 ** 34],
  ['67108864', 2 ** 26],
])('%s is a size of a cache', (text, bytes) => {
  expect(parseCacheSize(text, '--cache-size')).toBe(bytes);
});

test.each(['', '-1', '1048575', '1Ki', '17Gi', '64MB', '1e99', 'NaN', '64Mi 64Mi', '0x100000'])(
  '%j is none, and the message names the option',
  (text) => {
    const parse = () => parseCacheSize(text, '--cache-size');
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow('--cache-size');
  },
);
