import { expect, test } from 'vitest';
import { celLiteral } from './cel-literal.ts';

test.each<[string, unknown, string]>([
  ['a text', 'worker', '"worker"'],
  ['quotes of both kinds', `it's "so"`, String.raw`"it's \"so\""`],
  ['a backslash and a dollar', '\\d$(HOME)', String.raw`"\\d$(HOME)"`],
  ['line ends, a tab and other control characters', '\r\n\t\u0000', String.raw`"\r\n\t\u0000"`],
  ['other writing systems', 'señal 信号 🚀', '"señal 信号 🚀"'],
  ['a number', 600, '600'],
  ['nothing', null, 'null'],
  ['a list of texts', ['a', 'b'], '["a", "b"]'],
  ['a list of several types', ['a', 1], '[dyn("a"), dyn(1)]'],
  ['an empty list and an empty object', [[], {}], '[dyn([]), dyn({})]'],
  ['an object of texts', { name: 'a', value: 'b' }, '{"name": "a", "value": "b"}'],
  ['an object of several types', { port: 1, on: true }, '{"port": dyn(1), "on": dyn(true)}'],
  ['names that CEL reserves', { namespace: 'a', in: 'b' }, '{"namespace": "a", "in": "b"}'],
  ['names with quotes and slashes', { 'example.com/"gpu"': '1' }, String.raw`{"example.com/\"gpu\"": "1"}`],
  ['a field without value', { a: undefined, b: 'c' }, '{"b": "c"}'],
])('%s is written as CEL reads it', (_what, value, literal) => {
  expect(celLiteral(value)).toBe(literal);
});
