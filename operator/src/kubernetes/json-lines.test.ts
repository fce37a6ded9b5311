import { expect, test } from 'vitest';
import { JsonLines } from './json-lines.ts';

const LARGEST = 2_000_000;

function valuesOf(chunks: readonly Buffer[], largest = LARGEST): unknown[] {
  const lines = new JsonLines(largest);
  const values = chunks.flatMap((chunk) => [...lines.push(chunk)]);
  lines.end();
  return values;
}

test('characters of several bytes survive every place at which a chunk can end', () => {
  const values = [{ text: 'größer als 😀' }, { text: '\n in a text' }, { text: '' }];
  const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
  for (let at = 0; at <= bytes.length; at += 1) {
    expect(valuesOf([bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).toEqual(values);
  }
  const single = Array.from(bytes, (byte) => Buffer.from([byte]));
  expect(valuesOf(single)).toEqual(values);
});

test('a line of 1.5 MB in small chunks is one value', () => {
  const text = 'ü'.repeat(750_000);
  const bytes = Buffer.from(`${JSON.stringify({ text })}\n`);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 1_400) }, (_, n) =>
    bytes.subarray(n * 1_400, (n + 1) * 1_400),
  );
  expect(valuesOf(chunks)).toEqual([{ text }]);
});

test('empty lines and carriage returns give no values', () => {
  expect(valuesOf([Buffer.from('{"a":1}\r\n\n\r\n{"a":2}\n')])).toEqual([{ a: 1 }, { a: 2 }]);
});

test.each([
  ['a line that is too long', ['"12345678"'], /more than 8 bytes/],
  ['an end within a line', ['{"a":'], /ended within a line, after 5 bytes/],
  ['what is no JSON', ['<html>\n'], /not valid JSON/],
])('%s is an error', (_, texts, message) => {
  expect(() =>
    valuesOf(
      texts.map((text) => Buffer.from(text)),
      8,
    ),
  ).toThrow(message);
});
