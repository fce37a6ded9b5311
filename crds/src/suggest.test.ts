import { expect, test } from 'vitest';
import { nearest } from './suggest.ts';

const FIELDS = ['ttl', 'reaperInterval', 'temporal', 's3', 'gcs'];

test.each([
  ['tll', 'ttl'],
  ['reaper_interval', 'reaperInterval'],
  ['reaperinterval', 'reaperInterval'],
  ['reaperIntervals', 'reaperInterval'],
  ['temporl', 'temporal'],
  ['S3', 's3'],
  ['gsc', 'gcs'],
])('%s is near %s', (field, suggestion) => {
  expect(nearest(field, FIELDS)).toBe(suggestion);
});

test.each(['', 'x', 'abc', 'a3b', 'interval', '__proto__'])('%j is near nothing', (field) => {
  expect(nearest(field, FIELDS)).toBeUndefined();
});

test('a name of megabytes is near nothing, at once', () => {
  expect(nearest('x'.repeat(1_000_000), FIELDS)).toBeUndefined();
});
