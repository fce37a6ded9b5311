import { parseDuration, putTimeLimit } from '@largepayload/crds';
import { expect, test } from 'vitest';
import { longestPut } from './put-time-limit.ts';

test.each(['8s', '9s', '12s', '59m', '1h', '61m', '30d', '3650d'])(
  'a store of %s has the limit of its service',
  (ttl) => {
    expect(longestPut(ttl)).toBe(putTimeLimit(parseDuration(ttl)));
  },
);

test('so has a store that keeps its payloads', () => {
  expect(longestPut('Forever')).toBe(putTimeLimit(undefined));
});
