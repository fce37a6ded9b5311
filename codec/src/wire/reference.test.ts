import goReferences from '@largepayload/testing/wire-vectors/go-json-references.json' with { type: 'json' };
import wire from '@largepayload/testing/wire-vectors/wire-vectors.json' with { type: 'json' };
import type { Payload } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { digestOf } from './digest.ts';
import { PayloadReferenceError } from './errors.ts';
import { metadataHash, type PayloadMetadata } from './metadata.ts';
import { decodeReference, encodeReference, isReference } from './reference.ts';

const digest = digestOf(new Uint8Array());
const key = `/blobs/orders/common/${digest}/${digest}`;
const valid = { metadata: null, size: 0, digest, key };

describe.each(wire.vectors)('as the Go codec and service wrote it: $name', (vector) => {
  const data = Buffer.from(vector.data, 'base64');
  const metadata = bytesOf(vector.metadata);
  const reference = {
    version: 'v2',
    metadata,
    size: data.byteLength,
    digest: digestOf(data),
    key: vector.reference.key,
  } as const;

  test('the key ends with our digest and metadata hash', () => {
    expect(vector.reference.key.endsWith(`/${digestOf(data)}/${metadataHash(metadata)}`)).toBe(true);
  });

  test('our reference has the same bytes', () => {
    const payload = encodeReference(reference);
    expect(textOf(payload)).toBe(JSON.stringify(vector.reference));
    expect(bytesOf(payload.metadata ?? {})).toEqual(bytesOf(vector.encodedMetadata));
  });

  test('their reference is read as ours', () => {
    const payload = {
      metadata: Object.fromEntries(bytesOf(vector.encodedMetadata)),
      data: json(vector.reference),
    };
    expect(isReference(payload)).toBe(true);
    expect(decodeReference(payload)).toEqual(reference);
  });
});

test.each(goReferences.vectors)(
  'byte for byte as encoding/json writes it: $name',
  ({ keys, keyText, reference }) => {
    const metadata = new Map(keys.map((name) => [name, new Uint8Array(Buffer.from(name))]));
    const payload = encodeReference({ version: 'v2', metadata, size: 7, digest, key: keyText });
    expect(textOf(payload)).toBe(reference);
    expect(decodeReference(payload)).toEqual({ version: 'v2', metadata, size: 7, digest, key: keyText });
  },
);

describe('lenient where older and newer codecs differ', () => {
  test('v1 has no key', () => {
    expect(decodeReference(marked('v1', json({ metadata: { a: 'YQ==' }, size: 3, digest })))).toEqual({
      version: 'v1',
      metadata: new Map([['a', new Uint8Array([97])]]),
      size: 3,
      digest,
    });
  });

  test.each([
    ['absent metadata', { ...valid, metadata: undefined }],
    ['empty metadata', { ...valid, metadata: {} }],
    ['unknown fields', { ...valid, later: [1] }],
  ])('%s', (_name, fields) => {
    expect(decodeReference(marked('v2', json(fields)))).toEqual({
      version: 'v2',
      ...valid,
      metadata: new Map(),
    });
  });
});

describe('a malformed reference is refused:', () => {
  test.each([
    ['no data', undefined],
    ['empty data', new Uint8Array()],
    ['not JSON', Buffer.from('{"metadata":null')],
    ['null', json(null)],
    ['an array', json([valid])],
    ['size missing', json({ ...valid, size: undefined })],
    ['size as a string', json({ ...valid, size: '0' })],
    ['negative size', json({ ...valid, size: -1 })],
    ['fractional size', json({ ...valid, size: 0.5 })],
    ['size beyond 2^53', json({ ...valid, size: 2 ** 53 })],
    ['digest missing', json({ ...valid, digest: undefined })],
    ['digest in upper case', json({ ...valid, digest: digest.toUpperCase() })],
    ['digest of another algorithm', json({ ...valid, digest: `md5:${'0'.repeat(32)}` })],
    ['key missing', json({ ...valid, key: undefined })],
    ['key empty', json({ ...valid, key: '' })],
    ['key not a string', json({ ...valid, key: [key] })],
    ['metadata as an array', json({ ...valid, metadata: [] })],
    ['metadata value not a string', json({ ...valid, metadata: { a: 1 } })],
    ['metadata value not base64', json({ ...valid, metadata: { a: '*' } })],
  ])('%s', (_name, data) => {
    expect(() => decodeReference(marked('v2', data))).toThrow(PayloadReferenceError);
  });

  test.each([
    ['no marker', { encoding: Buffer.from('json/plain') }],
    [
      'an unknown version',
      { encoding: Buffer.from('json/plain'), 'temporal.io/remote-codec': Buffer.from('v3') },
    ],
    [
      'another encoding',
      { encoding: Buffer.from('binary/plain'), 'temporal.io/remote-codec': Buffer.from('v2') },
    ],
    ['no encoding', { 'temporal.io/remote-codec': Buffer.from('v2') }],
    ['no metadata', null],
  ])('%s', (_name, metadata) => {
    expect(() => decodeReference({ metadata, data: json(valid) })).toThrow(PayloadReferenceError);
  });
});

function marked(version: string, data: Uint8Array | undefined): Payload {
  const metadata = { encoding: Buffer.from('json/plain'), 'temporal.io/remote-codec': Buffer.from(version) };
  return { metadata, ...(data && { data }) };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function textOf(payload: Payload): string {
  return Buffer.from(payload.data ?? []).toString();
}

function bytesOf(record: Readonly<Record<string, string | undefined | Uint8Array>>): PayloadMetadata {
  return new Map(
    Object.entries(record)
      .filter((entry): entry is [string, string | Uint8Array] => entry[1] !== undefined)
      .map(([name, value]) => [
        name,
        new Uint8Array(typeof value === 'string' ? Buffer.from(value, 'base64') : value),
      ]),
  );
}

test('a reference larger than any that was written is refused before it is parsed', () => {
  const referenceOf = (metadataBytes: number) => ({
    metadata: { encoding: Buffer.from('json/plain'), 'temporal.io/remote-codec': Buffer.from('v2') },
    data: json({ ...valid, metadata: { a: 'A'.repeat(metadataBytes) } }),
  });
  expect(decodeReference(referenceOf(768 * 1024)).metadata.size).toBe(1);
  expect(() => decodeReference(referenceOf(1024 * 1024))).toThrow(/more than 1 MiB/);
});
