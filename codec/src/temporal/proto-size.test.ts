import type { Payload } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import Long from 'long';
import { expect, test } from 'vitest';
import { protoSize } from './proto-size.ts';

const text = (value: string) => new TextEncoder().encode(value);

const payloads: Array<[string, Payload]> = [
  ['nothing', {}],
  ['nulls', { metadata: null, data: null }],
  ['no metadata', { data: text('x') }],
  ['metadata only', { metadata: { encoding: text('binary/null') } }],
  ['empty key and value', { metadata: { '': new Uint8Array() } }],
  ['keys beyond ASCII', { metadata: { 'é\u{1F600}': text('ü'), __proto: text('x') } }],
  ['own __proto__', { metadata: Object.fromEntries([['__proto__', text('x')]]) }],
  ['a long metadata value', { metadata: { long: new Uint8Array(20_000) } }],
  ...[126, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152].map((bytes): [string, Payload] => [
    `${bytes} bytes of data`,
    { metadata: { encoding: text('json/plain') }, data: new Uint8Array(bytes) },
  ]),
  ...[0, 1, 127, 128, 2 ** 53, -1].map((bytes): [string, Payload] => [
    `an external payload of ${bytes} bytes`,
    { data: text('x'), externalPayloads: [{ sizeBytes: Long.fromNumber(bytes) }, {}] },
  ]),
];

test.each(payloads)('what protobuf writes: %s', (_name, payload) => {
  expect(protoSize(payload)).toBe(temporal.api.common.v1.Payload.encode(payload).finish().byteLength);
});

test('empty data counts nothing, as in Go', () => {
  expect(protoSize({ data: new Uint8Array() })).toBe(0);
});
