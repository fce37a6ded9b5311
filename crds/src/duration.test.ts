import { expect, test } from 'vitest';
import { DurationError, formatDuration, parseDuration } from './duration.ts';

test.each([
  ['1s', 1_000],
  ['90m', 5_400_000],
  ['12h', 43_200_000],
  ['30d', 2_592_000_000],
  ['104249991d', 9_007_199_222_400_000],
])('%s is %d ms', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each([
  '',
  'Forever',
  '0s',
  '030d',
  '30',
  'd',
  '-1s',
  '+1s',
  '1.5d',
  '1e3s',
  '1h30m',
  '30D',
  '30ms',
  '1w',
  ' 30d',
  '30d ',
  '30d\n',
  '٣d',
])('%j is refused', (text) => {
  expect(() => parseDuration(text)).toThrow(DurationError);
});

test.each(['104249992d', '9007199254741s', `${'9'.repeat(400)}d`])('%s is too long to count', (text) => {
  expect(() => parseDuration(text)).toThrow(/too long/);
});

test('a long text is not repeated in full', () => {
  expect(() => parseDuration('x'.repeat(100_000))).toThrow(/^.{1,200}$/);
});

test.each([
  [1_000, '1s'],
  [90_000, '90s'],
  [60_000, '1m'],
  [5_400_000, '90m'],
  [3_600_000, '1h'],
  [86_400_000, '1d'],
  [30 * 86_400_000, '30d'],
  [36 * 3_600_000, '36h'],
])('%d ms is written %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each([0, -1_000, 1, 1_500, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1e300])(
  '%d ms has no text',
  (milliseconds) => {
    expect(() => formatDuration(milliseconds)).toThrow(DurationError);
  },
);
