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
])('there is %s in the words of others', (_what, text, expected) => {
  expect(quote(text)).toBe(expected);
});

test('long words are shortened', () => {
  expect(quote('x'.repeat(5_000))).toHaveLength(401);
});

test.each([
  ['the program’s own', '{"msg":"begun"}\npayload-store: bad\n  spec.x: worse\n', 'bad spec.x: worse'],
  ['the log’s', '{"msg":"begun"}\n{"level":60,"msg":"ends","err":{"message":"no room"}}\n', 'ends: no room'],
  ['plain text', 'Killed\n\n', 'Killed'],
  ['JSON that is no log', '"text"\n', '"text"'],
  ['null', 'null\n', 'null'],
  ['none', '\n \n', undefined],
])('last words: %s', (_which, log, expected) => {
  expect(lastMessage(log)).toBe(expected);
});
