import { isLoopback } from '@largepayload/codec/wire/loopback';
import { expect, test } from 'vitest';
import { parseListenAddress } from './listen-address.ts';

test.each([
  ['127.0.0.1:8577', '127.0.0.1', 8577, true],
  ['localhost:0', 'localhost', 0, true],
  ['[::1]:8577', '::1', 8577, true],
  ['0.0.0.0:1', '0.0.0.0', 1, false],
  ['[::]:1', '::', 1, false],
  ['gateway.example:65535', 'gateway.example', 65_535, false],
  [':8577', '', 8577, false],
])('%s', (text, host, port, loopback) => {
  expect(parseListenAddress(text)).toEqual({ host, port });
  expect(isLoopback(host)).toBe(loopback);
});

test.each([
  '',
  '8577',
  ':',
  'host',
  'host:',
  '::1:8577',
  '[]:1',
  ':65536',
  ':-1',
  ':1 ',
  '127.0.0.1:8577/path',
])('"%s" is refused with examples', (text) => {
  expect(() => parseListenAddress(text)).toThrow(/is not HOST:PORT; examples: .*:8577 for all interfaces/);
});
