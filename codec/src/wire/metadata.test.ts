import goReferences from '@largepayload/testing/wire-vectors/go-json-references.json' with { type: 'json' };
import { describe, expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { PayloadMetadataError } from './errors.ts';
import {
  decodeMetadataHeader,
  encodeMetadataHeader,
  metadataFromRecord,
  metadataHash,
  metadataToRecord,
} from './metadata.ts';

const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64');

describe('the header', () => {
  test('a value that is null is empty, as Go writes and reads a nil value', () => {
    expect(decodeMetadataHeader(base64('{"a":null}'))).toEqual(new Map([['a', new Uint8Array()]]));
  });

  test('empty metadata travels as null, as Go writes a nil map', () => {
    expect(encodeMetadataHeader(new Map())).toBe(base64('null'));
    expect(decodeMetadataHeader(base64('null'))).toEqual(new Map());
    expect(decodeMetadataHeader(base64('{}'))).toEqual(new Map());
  });

  test.each(goReferences.vectors)('round trip: $name', ({ keys }) => {
    const metadata = new Map(keys.map((key) => [key, new Uint8Array(Buffer.from(key))]));
    expect(decodeMetadataHeader(encodeMetadataHeader(metadata))).toEqual(metadata);
  });

  test('binary values come back as they were', () => {
    const metadata = new Map([['bytes', new Uint8Array(256).map((_, index) => index)]]);
    expect(decodeMetadataHeader(encodeMetadataHeader(metadata))).toEqual(metadata);
  });

  test('a view into a larger buffer is encoded as the view', () => {
    const view = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    expect(decodeMetadataHeader(encodeMetadataHeader(new Map([['k', view]]))).get('k')).toEqual(
      new Uint8Array([2, 3]),
    );
  });

  test.each([
    ['empty header', ''],
    ['not base64', '{"encoding":"YQ=="}'],
    ['base64url', base64(new Uint8Array([0x22, 0xff, 0xff, 0x22])).replaceAll('/', '_')],
    ['base64 without padding', base64('{}').replaceAll('=', '')],
    ['base64 with a line break', `${base64('null')}\n`],
    ['not JSON', base64('encoding')],
    ['truncated JSON', base64('{"encoding":"YQ=="')],
    ['byte order mark', base64('\uFEFFnull')],
    ['not UTF-8', base64(Buffer.concat([Buffer.from('{"'), Buffer.from([0xff]), Buffer.from('":""}')]))],
    ['an array', base64('[]')],
    ['a string', base64('"YQ=="')],
    ['a number', base64('1')],
    ['a value that is a number', base64('{"a":1}')],
    ['a value that is an object', base64('{"__proto__":{}}')],
    ['a value that is not base64', base64('{"a":"?"}')],
    ['a value that is not canonical base64', base64('{"a":"YR=="}')],
  ])('refuses %s', (_name, header) => {
    expect(() => decodeMetadataHeader(header)).toThrow(PayloadMetadataError);
    expect(() => decodeMetadataHeader(header)).toThrow(/malformed payload metadata: (not|a value) /);
  });
});

describe('the hash', () => {
  test('of no metadata is that of the empty string', () => {
    expect(metadataHash(new Map())).toBe(digestOf(new Uint8Array()));
  });

  test('sorts keys by their UTF-8 bytes, whatever order they come in', () => {
    const inByteOrder = ['a', '\uFB01', '\u{1F600}'];
    const expected = digestOf(Buffer.from(inByteOrder.map((key) => `${key}value`).join('')));
    const hashOf = (keys: string[]) => metadataHash(new Map(keys.map((key) => [key, Buffer.from('value')])));
    expect(hashOf(inByteOrder)).toBe(expected);
    expect(hashOf(inByteOrder.toReversed())).toBe(expected);
    expect(inByteOrder.toSorted()).not.toEqual(inByteOrder);
  });
});

test('__proto__ is a key like any other', () => {
  const metadata = decodeMetadataHeader(base64('{"__proto__":"YQ=="}'));
  const record = metadataToRecord(metadata);
  expect(Object.keys(record)).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
  expect(metadataFromRecord(record)).toEqual(new Map([['__proto__', new Uint8Array([97])]]));
  expect(metadataHash(metadata)).toBe(digestOf(Buffer.from('__proto__a')));
});
