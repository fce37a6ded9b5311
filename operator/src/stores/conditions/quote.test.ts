import { expect, test } from 'vitest';
import { lastMessage, quote } from './quote.ts';

test.each([
  ['one line', 'a\n  b\tc', 'a b c'],
  ['no time', 'since 2026-06-01T12:00:00.123Z it fails', 'since … it fails'],
  ['no identifier of a request', 'request 2f1d7c3e-8a51-4a55-9f0e-5b6c1d2e3f40 failed', 'request … failed'],
  [
    'no name made by chance',
    'pods "orders-gateway-7d9c8b5f4-x2x7z" is forbidden',
    'pods "orders-gateway" is forbidden',
  ],
  ['nothing around', ' a\n', 'a'],
  ['no full stop', 'Volume is attached.', 'Volume is attached'],
])('a quote has %s', (_what, text, expected) => {
  expect(quote(text)).toBe(expected);
});

test('a long quote is shortened', () => {
  expect(quote('x'.repeat(5_000))).toHaveLength(401);
});

test.each([
  [
    "the service's error on stderr",
    '{"msg":"begun"}\npayload-store: bad\n  spec.x: worse\n',
    'bad spec.x: worse',
  ],
  [
    'message and error of a JSON line',
    '{"msg":"begun"}\n{"level":60,"msg":"ends","err":{"message":"no room"}}\n',
    'ends: no room',
  ],
  ['a line of plain text', 'Killed\n\n', 'Killed'],
  ['a line of JSON that is no object', '"text"\n', '"text"'],
  ['a line null', 'null\n', 'null'],
  ['nothing, where the log is empty', '\n \n', undefined],
])('the last message of a log is %s', (_which, log, expected) => {
  expect(lastMessage(log)).toBe(expected);
});
