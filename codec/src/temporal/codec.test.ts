import { type MemoryService, memoryService } from '@largepayload/testing/service/memory-service';
import wire from '@largepayload/testing/wire-vectors/wire-vectors.json' with { type: 'json' };
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import {
  decodeFromPayloadsAtIndex,
  encodeToPayloads,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import { temporal } from '@temporalio/proto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { failureOf } from '../failures.fixture.ts';
import { PayloadIntegrityError, PayloadNotFoundError, PayloadReferenceError } from '../wire/errors.ts';
import { decodeReference, isReference } from '../wire/reference.ts';
import { LargePayloadCodec } from './codec.ts';
import { protoSize } from './proto-size.ts';

const PayloadMessage = temporal.api.common.v1.Payload;

afterEach(() => vi.unstubAllEnvs());

function codecOf({ url }: MemoryService, thresholdBytes = 0): LargePayloadCodec {
  return new LargePayloadCodec({ url, namespace: 'orders', thresholdBytes });
}

/** A payload of exactly so many bytes as a protobuf message. */
function payloadOfSize(bytes: number): Payload {
  const metadata = { encoding: Buffer.from('binary/plain') };
  let dataBytes = bytes;
  while (protoSize({ metadata, data: new Uint8Array(dataBytes) }) > bytes) dataBytes -= 1;
  return { metadata, data: new Uint8Array(dataBytes) };
}

describe('the constructor', () => {
  test('needs no more than the environment of an injected pod', async () => {
    await using service = await memoryService();
    vi.stubEnv('LARGE_PAYLOAD_SERVICE_URL', service.url);
    vi.stubEnv('TEMPORAL_NAMESPACE', 'orders');
    vi.stubEnv('LARGE_PAYLOAD_THRESHOLD_BYTES', '1000');
    const encoded = await new LargePayloadCodec().encode([payloadOfSize(1001), payloadOfSize(1000)]);
    expect(encoded.map(isReference)).toEqual([true, false]);
    expect([...service.blobs.keys()][0]).toMatch(/^\/blobs\/orders\/common\/sha256:/);
  });

  test('throws without a URL', () => {
    vi.stubEnv('LARGE_PAYLOAD_SERVICE_URL', undefined);
    expect(() => new LargePayloadCodec({ namespace: 'orders' })).toThrow(TypeError);
  });
});

describe('the threshold', () => {
  test.each([200, 127_999, 128_000])(
    '%i bytes: at the threshold a payload stays, one byte more and it goes',
    async (bytes) => {
      await using service = await memoryService();
      const atThreshold = payloadOfSize(bytes);
      const above = payloadOfSize(bytes + 1);
      expect([protoSize(atThreshold), protoSize(above)]).toEqual([bytes, bytes + 1]);
      const encoded = await codecOf(service, bytes).encode([atThreshold, above]);
      expect(encoded[0]).toBe(atThreshold);
      expect(encoded.map(isReference)).toEqual([false, true]);
    },
  );

  test('counts the metadata of a payload too', async () => {
    await using service = await memoryService();
    const payload = { metadata: { large: new Uint8Array(200) }, data: new Uint8Array(1) };
    expect((await codecOf(service, 150).encode([payload])).map(isReference)).toEqual([true]);
  });
});

describe('a payload comes back as it was:', () => {
  test.each<[string, Payload]>([
    ['empty data', { metadata: { encoding: Buffer.from('json/plain') }, data: new Uint8Array() }],
    ['no data', { metadata: { encoding: Buffer.from('binary/null') } }],
    ['no metadata', { data: Buffer.from('bytes') }],
    [
      'binary metadata',
      { metadata: { bytes: new Uint8Array(256).map((_, i) => i) }, data: Buffer.from('x') },
    ],
    [
      'odd keys',
      {
        metadata: Object.fromEntries([
          ['__proto__', Buffer.from('a')],
          ['10', Buffer.from('b')],
          ['9<\u{1F600}', Buffer.from('c')],
        ]),
        data: Buffer.from('x'),
      },
    ],
    ['100 KB of metadata', { metadata: { large: new Uint8Array(75_000) }, data: Buffer.from('x') }],
    ['2 MB', { metadata: {}, data: new Uint8Array(2_000_000).fill(3) }],
  ])('%s', async (_name, payload) => {
    await using service = await memoryService();
    const codec = codecOf(service);
    const encoded = await codec.encode([payload]);
    const [decoded] = await codec.decode(encoded);
    expect(encoded.map(isReference)).toEqual([true]);
    expect(Object.keys(decoded?.metadata ?? {}).toSorted()).toEqual(
      Object.keys(payload.metadata ?? {}).toSorted(),
    );
    expect(protoSize(decoded ?? {})).toBe(protoSize(payload));
    expect(Buffer.from(decoded?.data ?? [])).toEqual(Buffer.from(payload.data ?? []));
    for (const [key, value] of Object.entries(payload.metadata ?? {})) {
      expect(Buffer.from(decoded?.metadata?.[key] ?? [])).toEqual(Buffer.from(value));
    }
  });

  test('order is kept, small payloads are untouched, no payloads are no requests', async () => {
    await using service = await memoryService();
    const codec = codecOf(service, 1_000);
    const payloads = [10_001, 200, 10_002, 201].map(payloadOfSize);
    const decoded = await codec.decode(await codec.encode(payloads));
    expect(decoded.map(protoSize)).toEqual([10_001, 200, 10_002, 201]);
    expect(decoded[1]).toBe(payloads[1]);
    expect(service.calls).toHaveLength(4);
    expect(await codec.encode([])).toEqual([]);
    expect(await codec.decode([])).toEqual([]);
  });

  test('a reference is not stored again', async () => {
    await using service = await memoryService();
    const codec = codecOf(service);
    const once = await codec.encode([payloadOfSize(500)]);
    expect(await codec.encode(once)).toEqual(once);
    expect(service.blobs.size).toBe(1);
  });

  test('a reference tells how many bytes it stands for; what else a payload carries stays on it', async () => {
    await using service = await memoryService();
    const codec = codecOf(service);
    const externalPayloads = [{ sizeBytes: 7 }] as unknown as NonNullable<Payload['externalPayloads']>;
    const plain = payloadOfSize(500);
    const sizeBytes = plain.data?.byteLength;
    const encoded = await codec.encode([plain, { ...payloadOfSize(501), externalPayloads }]);
    expect(encoded.map((payload) => payload.externalPayloads)).toEqual([
      [{ sizeBytes }],
      [{ sizeBytes: 7 }, { sizeBytes: (sizeBytes ?? 0) + 1 }],
    ]);
    const wire = encoded.map((payload) => PayloadMessage.decode(PayloadMessage.encode(payload).finish()));
    for (const received of [encoded, wire]) {
      const decoded = await codec.decode(received);
      expect(
        decoded.map((payload) => payload.externalPayloads?.map(({ sizeBytes }) => Number(sizeBytes))),
      ).toEqual([undefined, [7]]);
    }
  });

  test("it passes through Temporal's data converter", async () => {
    await using service = await memoryService();
    const converter = {
      payloadConverter: defaultPayloadConverter,
      failureConverter: {} as never,
      payloadCodecs: [codecOf(service, 1_000)],
    };
    const value = { document: 'ä'.repeat(5_000) };
    const encoded = await encodeToPayloads(converter, value, 'small');
    expect(encoded?.map(isReference)).toEqual([true, false]);
    expect(await decodeFromPayloadsAtIndex(converter, 0, encoded)).toEqual(value);
    expect(await decodeFromPayloadsAtIndex(converter, 1, encoded)).toBe('small');
  });
});

test.each(wire.vectors)('a reference that the Go codec wrote is decoded: $name', async (vector) => {
  await using service = await memoryService();
  service.blobs.set(vector.reference.key, Buffer.from(vector.data, 'base64'));
  const metadata = { encoding: Buffer.from('json/plain'), 'temporal.io/remote-codec': Buffer.from('v2') };
  const [decoded] = await codecOf(service).decode([
    { metadata, data: Buffer.from(JSON.stringify(vector.reference)) },
  ]);
  expect(Buffer.from(decoded?.data ?? []).toString('base64')).toBe(vector.data);
  const decodedMetadata = Object.entries(decoded?.metadata ?? {}).map(([key, value]) => [
    key,
    Buffer.from(value).toString('base64'),
  ]);
  expect(Object.fromEntries(decodedMetadata)).toEqual(vector.metadata);
});

test('v1 references are read by digest', async () => {
  await using service = await memoryService();
  const [encoded] = await codecOf(service).encode([payloadOfSize(500)]);
  const { size, digest } = decodeReference(encoded ?? {});
  const data = [...service.blobs.values()][0] ?? new Uint8Array();
  service.blobs.set(`blobs/${digest}`, data);
  const metadata = { encoding: Buffer.from('json/plain'), 'temporal.io/remote-codec': Buffer.from('v1') };
  const reference = { metadata: { encoding: 'YQ==' }, size, digest };
  const decoded = await codecOf(service).decode([{ metadata, data: Buffer.from(JSON.stringify(reference)) }]);
  expect(decoded).toEqual([{ metadata: { encoding: new Uint8Array([97]) }, data: new Uint8Array(data) }]);
  expect(service.calls.at(-1)).toBe('GET /v1/blobs/get');
});

describe('failures', () => {
  test('a payload that is gone, one that was altered, and a reference that is none', async () => {
    await using service = await memoryService();
    const codec = codecOf(service);
    const encoded = await codec.encode([payloadOfSize(500)]);
    const [[key, data] = ['', new Uint8Array()]] = [...service.blobs];
    service.blobs.set(
      key,
      data.map((byte) => byte ^ 1),
    );
    expect(await failureOf(codec.decode(encoded))).toBeInstanceOf(PayloadIntegrityError);
    service.blobs.delete(key);
    expect(await failureOf(codec.decode(encoded))).toBeInstanceOf(PayloadNotFoundError);
    const broken = encoded.map((payload) => ({ ...payload, data: Buffer.from('{}') }));
    expect(await failureOf(codec.decode(broken))).toBeInstanceOf(PayloadReferenceError);
  });
});
