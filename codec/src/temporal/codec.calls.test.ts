import type { IncomingHttpHeaders } from 'node:http';
import { runInNewContext } from 'node:vm';
import { memoryService } from '@largepayload/testing/service/memory-service';
import type { Payload } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { describe, expect, test } from 'vitest';
import { failureOf } from '../failures.fixture.ts';
import { isReference } from '../wire/reference.ts';
import { LargePayloadCodec } from './codec.ts';
import type { LargePayloadCodecOptions } from './settings.ts';

function codecOf(service: { url: string }, options: LargePayloadCodecOptions = {}): LargePayloadCodec {
  return new LargePayloadCodec({ url: service.url, namespace: 'orders', thresholdBytes: 0, ...options });
}

function payloadOf(text: string, encoding = 'binary/plain'): Payload {
  return { metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(text) };
}

const textsOf = (payloads: Payload[]) => payloads.map(({ data }) => Buffer.from(data ?? []).toString());

describe('equal payloads of a call', () => {
  test('are stored once and fetched once', async () => {
    await using service = await memoryService();
    const codec = codecOf(service);
    const payloads = [payloadOf('a'), payloadOf('b'), payloadOf('a'), payloadOf('a', 'other')];
    const same = payloads[0] as Payload;
    const encoded = await codec.encode([...payloads, same]);
    expect(service.calls).toEqual(Array(3).fill('PUT /v2/blobs/put'));
    const decoded = await codec.decode(encoded);
    expect(service.calls.slice(3)).toEqual(Array(3).fill('GET /v2/blobs/get'));
    expect(textsOf(decoded)).toEqual(['a', 'b', 'a', 'a', 'a']);
    expect(textsOf(decoded.map(({ metadata }) => ({ data: metadata?.encoding ?? null })))[3]).toBe('other');
  });

  test('are not the same memory when decoded', async () => {
    await using service = await memoryService();
    const codec = codecOf(service);
    const decoded = await codec.decode(await codec.encode([payloadOf('abc'), payloadOf('abc')]));
    decoded[0]?.data?.fill(0);
    expect(textsOf(decoded)[1]).toBe('abc');
  });

  test('that claim another size are not taken for equal', async () => {
    await using service = await memoryService();
    const codec = codecOf(service);
    const [encoded] = await codec.encode([payloadOf('abc')]);
    const lie = Buffer.from(
      Buffer.from(encoded?.data ?? [])
        .toString()
        .replace('"size":3', '"size":4'),
    );
    const failure = await failureOf(codec.decode([encoded ?? {}, { ...encoded, data: lie }]));
    expect(failure).toMatchObject({ name: 'PayloadIntegrityError' });
  });
});

test('10,000 payloads go in one call, no more than 16 at a time', async () => {
  await using service = await memoryService();
  const codec = codecOf(service);
  const payloads = Array.from({ length: 10_000 }, (_, index) => payloadOf(String(index)));
  const decoded = await codec.decode(await codec.encode(payloads));
  expect(textsOf(decoded)).toEqual(textsOf(payloads));
  expect(service.connections.length).toBeLessThanOrEqual(16);
});

test('all calls of a codec share its bound', async () => {
  await using service = await memoryService();
  const codec = codecOf(service, { maxConcurrentRequests: 2 });
  await Promise.all(Array.from({ length: 20 }, (_, index) => codec.encode([payloadOf(`${index}`)])));
  expect(service.connections.length).toBe(2);
});

describe('the owning workflow', () => {
  async function ownerSentFor(options: LargePayloadCodecOptions, context?: object): Promise<unknown> {
    const heads: IncomingHttpHeaders[] = [];
    await using service = await memoryService((request) => heads.push(request.headers));
    await codecOf(service, options).encode([payloadOf('a')], context);
    return heads[0]?.['x-payload-store-workflow-id'];
  }
  const owned = { type: 'workflow', namespace: 'billing', workflowId: 'invoice/7 ü' };

  test('is named when the context does', async () => {
    expect(await ownerSentFor({}, owned)).toBe(Buffer.from('invoice/7 ü').toString('base64url'));
  });

  test.each<[string, LargePayloadCodecOptions, object?]>([
    ['when deduplication is chosen', { ownerPrefix: false }, owned],
    ['when there is none', {}, { ...owned, workflowId: undefined }],
    ['when its id is empty', {}, { ...owned, workflowId: '' }],
    ['by SDKs without a context', {}],
  ])('is not named %s', async (_case, options, context) => {
    expect(await ownerSentFor(options, context)).toBeUndefined();
  });
});

test("payloads go to the context's namespace unless the option names one", async () => {
  await using service = await memoryService();
  const context = { namespace: 'billing', workflowId: 'w' };
  await new LargePayloadCodec({ url: service.url, thresholdBytes: 0 }).encode([payloadOf('a')], context);
  await codecOf(service).encode([payloadOf('b')], context);
  expect([...service.blobs.keys()].map((key) => key.split('/')[2])).toEqual(['billing', 'orders']);
});

test('an array that the caller changes meanwhile does not change the result', async () => {
  await using service = await memoryService();
  const codec = codecOf(service);
  const payloads = ['a', 'b', 'c'].map((text) => payloadOf(text));
  const encoding = codec.encode(payloads);
  payloads.shift();
  payloads.push(payloadOf('d'), payloadOf('e'));
  expect(textsOf(await codec.decode(await encoding))).toEqual(['a', 'b', 'c']);
});

test('bytes of another realm, as workflows have them in debug mode, are stored', async () => {
  await using service = await memoryService();
  const codec = codecOf(service);
  const data = runInNewContext('new Uint8Array([97, 98])') as Uint8Array;
  expect(data).not.toBeInstanceOf(Uint8Array);
  expect(textsOf(await codec.decode(await codec.encode([{ metadata: {}, data }])))).toEqual(['ab']);
});

test('a payload that protobufjs decoded without data is stored', async () => {
  await using service = await memoryService();
  const codec = codecOf(service);
  const { Payload: Message } = temporal.api.common.v1;
  const received = Message.decode(Message.encode({ metadata: { a: Buffer.from('b') } }).finish());
  const [decoded] = await codec.decode(await codec.encode([received]));
  expect(textsOf([decoded ?? {}])).toEqual(['']);
  expect(Object.keys(decoded?.metadata ?? {})).toEqual(['a']);
});

test('a payload without any context is stored under the namespace of the settings', async () => {
  await using service = await memoryService();
  expect((await codecOf(service).encode([payloadOf('a')], null)).map(isReference)).toEqual([true]);
});

describe('a codec that only decodes', () => {
  test('stores nothing and reads everything', async () => {
    await using service = await memoryService();
    const encoded = await codecOf(service).encode([payloadOf('a')]);
    const codec = new LargePayloadCodec({ url: service.url, decodeOnly: true, thresholdBytes: 0 });
    const payloads = [payloadOf('b')];
    expect(await codec.encode(payloads)).toBe(payloads);
    expect(textsOf(await codec.decode(encoded))).toEqual(['a']);
    expect(service.blobs.size).toBe(1);
  });
});

test('references outlive every change of settings', async () => {
  await using service = await memoryService();
  const encoded = await codecOf(service).encode([payloadOf('a')], { workflowId: 'w', namespace: 'x' });
  const changed = codecOf(service, { namespace: 'other', thresholdBytes: 1_000_000, ownerPrefix: false });
  expect(encoded.map(isReference)).toEqual([true]);
  expect(textsOf(await changed.decode(encoded))).toEqual(['a']);
});
