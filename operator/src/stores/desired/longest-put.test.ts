import { parseDuration, putTimeLimit } from '@largepayload/crds';
import { expect, test } from 'vitest';
import { longestPut } from './deployments.ts';

test.each(['8s', '9s', '12s', '59m', '1h', '61m', '30d', '3650d'])(
  'the operator allows a PUT with a TTL of %s as long as the service does',
  (ttl) => {
    expect(longestPut(ttl)).toBe(putTimeLimit(parseDuration(ttl)));
  },
);

test('the operator allows a PUT without a TTL as long as the service does', () => {
  expect(longestPut('Forever')).toBe(putTimeLimit(undefined));
});
