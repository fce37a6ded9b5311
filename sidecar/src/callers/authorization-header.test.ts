import { expect, test } from 'vitest';
import { bearerToken } from './authorization-header.ts';

const tokenOf = (...values: string[]) =>
  bearerToken(['Host', 'gateway', ...values.flatMap((value) => ['Authorization', value]), 'Accept', '*/*']);

test.each(['Bearer a.b-c_d', 'bearer a.b-c_d', 'BEARER a.b-c_d', 'Bearer   a.b-c_d'])(
  '%j has a token',
  (value) => {
    expect(tokenOf(value)).toBe('a.b-c_d');
  },
);

test('the name of the header may be written in any case', () => {
  for (const name of ['authorization', 'AUTHORIZATION', 'aUthorization'])
    expect(bearerToken([name, 'Bearer a'])).toBe('a');
});

test.each(['Basic dXNlcjpwYXNz', 'Digest a', 'Bearertoken a', 'a.b.c', ''])('%j has no token', (value) => {
  expect(tokenOf(value)).toBeUndefined();
});

test('a request without the header has no token', () => {
  expect(tokenOf()).toBeUndefined();
  expect(bearerToken(['X-Authorization', 'Bearer a', 'Proxy-Authorization', 'Bearer a'])).toBeUndefined();
});

test.each([
  'Bearer',
  'Bearer ',
  'Bearer a b',
  'Bearer a,b',
  'Bearer a, Bearer b',
  'Bearer\ta',
  'Bearer \u00e4',
  'Bearer "a"',
])('%j is refused', (value) => {
  expect(() => tokenOf(value)).toThrow('not "Bearer TOKEN"');
});

test.each<[string, string]>([
  ['Bearer a', 'Bearer a'],
  ['Bearer a', 'Basic b'],
  ['', 'Bearer a'],
])('two headers, %j and %j, are refused', (first, second) => {
  expect(() => tokenOf(first, second)).toThrow('more than one Authorization header');
  expect(() => bearerToken(['authorization', first, 'AUTHORIZATION', second])).toThrow('more than one');
});

test('a header of 1 MB is read like a short one', () => {
  expect(tokenOf(`Bearer ${'a'.repeat(1_000_000)}`)).toHaveLength(1_000_000);
  for (const value of [`Bearer${' '.repeat(1_000_000)}`, `Bearer ${'a='.repeat(500_000)}`])
    expect(() => tokenOf(value)).toThrow('not "Bearer TOKEN"');
});
