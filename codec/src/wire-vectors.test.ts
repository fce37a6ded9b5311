import { buffer } from 'node:stream/consumers';
import { httpServer, rawServer } from '@largepayload/testing/servers/test-server';
import {
  bytesOf,
  decodeVectors,
  type EncodeVector,
  encodeVectors,
  inFormOf,
  keyVectors,
  metadataOf,
  type PayloadVector,
} from '@largepayload/testing/wire-vectors/vectors';
import type { Payload } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import Long from 'long';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { failureOf } from './failures.fixture.ts';
import { LargePayloadCodec } from './temporal/codec.ts';
import { protoSize } from './temporal/proto-size.ts';
import { BlobClient } from './transport/blob-client.ts';
import { digestOf } from './wire/digest.ts';
import {
  PayloadIntegrityError,
  PayloadNotFoundError,
  PayloadReferenceError,
  PayloadRejectedError,
  PayloadStoreUnavailableError,
} from './wire/errors.ts';
import {
  decodeMetadataHeader,
  encodeMetadataHeader,
  metadataHash,
  metadataToRecord,
} from './wire/metadata.ts';
import { putTimeLimit } from './wire/put-time-limit.ts';
import { decodeReference, encodeReference } from './wire/reference.ts';

const ProtoPayload = temporal.api.common.v1.Payload;

const errorClasses = {
  integrity: PayloadIntegrityError,
  not_found: PayloadNotFoundError,
  unavailable: PayloadStoreUnavailableError,
  rejected: PayloadRejectedError,
};

afterEach(() => vi.unstubAllEnvs());

describe.each(encodeVectors)('$name', (vector) => {
  const metadata = metadataOf(vector.payload.metadata);
  const data = bytesOf(vector.payload.data);
  const { put, reference } = vector;

  test('has the size, digest, metadata hash and header of the vector', () => {
    expect(protoSize(payloadOf(vector.payload))).toBe(vector.payloadBytes);
    expect(messageOf(payloadOf(vector.payload)).byteLength).toBe(vector.payloadBytes);
    expect(digestOf(data)).toBe(vector.digest);
    expect(metadataHash(metadata)).toBe(vector.metadataHash);
    const header = encodeMetadataHeader(metadata);
    expect(inFormOf(put.metadataHeader, header)).toEqual(put.metadataHeader);
    expect(decodeMetadataHeader(header)).toEqual(metadata);
  });

  test('has the reference of the vector, written and read', () => {
    const { digest, key } = vector;
    const fields = { version: 'v2', metadata, size: data.byteLength, digest, key } as const;
    const payload = encodeReference(fields);
    expect(inFormOf(reference.data, payload.data ?? '')).toEqual(reference.data);
    expect(new Map(Object.entries(payload.metadata ?? {}))).toEqual(metadataOf(reference.metadata));
    expect(decodeReference(payload)).toEqual(fields);
  });

  test('is stored by the requests of the vector, replaced by its reference, and given back', async () => {
    await using service = await serviceOf(vector);
    const payload = payloadOf(vector.payload);
    const codec = codecOf(service.url, vector, vector.payloadBytes - 1);
    const [encoded = {}] = await codec.encode([payload], contextOf(vector));
    const message = messageOf(encoded);
    expect(inFormOf(reference.message, message)).toEqual(reference.message);

    const [decoded = {}] = await codec.decode([ProtoPayload.decode(message)]);
    expect(digestOf(decoded.data ?? new Uint8Array())).toBe(vector.digest);
    expect(new Map(Object.entries(decoded.metadata ?? {}))).toEqual(metadata);
    expect(externalSizesOf(decoded)).toEqual(vector.payload.externalPayloads ?? []);
    expect(service.requests).toEqual([
      { method: 'PUT', target: put.target, owner: put.workflowIdHeader, body: vector.digest },
      { method: 'GET', target: vector.getTarget, owner: undefined, body: digestOf(new Uint8Array()) },
    ]);
  });

  test('is stored when it is larger than the threshold, not when it is as large', async () => {
    vi.stubEnv('LARGE_PAYLOAD_THRESHOLD_BYTES', '');
    await using service = await serviceOf(vector);
    const payload = payloadOf(vector.payload);
    const [same] = await codecOf(service.url, vector, vector.payloadBytes).encode([payload]);
    expect(same === payload, 'left as it is').toBe(true);
    await codecOf(service.url, vector, undefined).encode([payload]);
    expect(service.requests.length === 1).toBe(vector.storedByDefault);
  });
});

describe('a reference', () => {
  test.each(decodeVectors.accepted)('$name is read', async ({ payload, reference, externalPayloadsLeft }) => {
    const { data, key: stored } = decodeVectors.request;
    const paths: (string | null)[] = [];
    await using service = await httpServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://service');
      paths.push(url.searchParams.get(url.pathname === '/v1/blobs/get' ? 'digest' : 'key'));
      response.end(Buffer.from(data, 'base64'));
    });
    const metadata = metadataOf(reference.metadata);
    const marked = payloadOf(payload);
    expect(decodeReference(marked)).toEqual({ ...reference, metadata });
    const [decoded = {}] = await new LargePayloadCodec({ url: service.url }).decode([marked]);
    expect(decoded.metadata).toEqual(metadataToRecord(metadata));
    expect(decoded.data).toEqual(bytesOf(data));
    expect(externalSizesOf(decoded)).toEqual(externalPayloadsLeft);
    expect(paths).toEqual([reference.version === 'v1' ? reference.digest : stored]);
  });

  test.each(decodeVectors.refused)('$name is refused, and nobody is asked for it', async ({ payload }) => {
    const requests: unknown[] = [];
    await using service = await httpServer((request, response) => {
      requests.push(request.url);
      response.end();
    });
    const codec = new LargePayloadCodec({ url: service.url });
    expect(await failureOf(codec.decode([payloadOf(payload)]))).toBeInstanceOf(PayloadReferenceError);
    expect(requests).toEqual([]);
  });
});

describe('an answer', () => {
  const { request, getAnswers, putAnswers } = decodeVectors;
  const data = bytesOf(request.data);
  const facts = { digest: digestOf(data), size: data.byteLength };

  test.each(getAnswers)('to a GET: $name', async (vector) => {
    await expectOutcome(vector, (client) => client.get({ ...facts, key: request.key }));
  });

  test.each(putAnswers)('to a PUT: $name', async (vector) => {
    const metadata = metadataOf(request.metadata);
    await expectOutcome(vector, (client) =>
      client.put({ ...facts, namespace: 'orders', metadata, body: data }),
    );
  });
});

describe('how late a key may be acknowledged', () => {
  test.each(keyVectors.keys)('$key', ({ key, putTimeLimitMs }) => {
    expect(putTimeLimit(key)).toBe(putTimeLimitMs ?? 900_000);
  });

  test.each(keyVectors.windows)('/$root', ({ root, putTimeLimitMs }) => {
    expect(putTimeLimit(`/${root}/orders/common/`)).toBe(putTimeLimitMs);
  });
});

function payloadOf({ metadata, data, externalPayloads }: PayloadVector): Payload {
  return {
    metadata: metadataToRecord(metadataOf(metadata)),
    data: bytesOf(data),
    ...(externalPayloads && {
      externalPayloads: externalPayloads.map((bytes) => ({ sizeBytes: Long.fromNumber(bytes) })),
    }),
  };
}

/** As proto3 prescribes: protobufjs would write the defaults of fields that are set, empty data and sizes of 0. */
function messageOf(payload: Payload): Uint8Array {
  const { metadata, data, externalPayloads } = payload;
  const details = externalPayloads?.map((entry) => (Number(entry.sizeBytes) === 0 ? {} : entry));
  return new Uint8Array(
    ProtoPayload.encode({
      ...(metadata && { metadata }),
      ...(data?.byteLength && { data }),
      ...(details && { externalPayloads: details }),
    }).finish(),
  );
}

function externalSizesOf({ externalPayloads }: Payload): number[] {
  return (externalPayloads ?? []).map(({ sizeBytes }) => Number(sizeBytes));
}

function codecOf(url: string, { namespace }: EncodeVector, thresholdBytes: number | undefined) {
  return new LargePayloadCodec({ url, namespace, thresholdBytes });
}

function contextOf({ namespace, workflowId }: EncodeVector) {
  return { namespace, ...(workflowId !== undefined && { workflowId }) };
}

/** Answers any PUT with the vector's key and any GET with its data, and notes what it was asked. */
async function serviceOf(vector: EncodeVector) {
  const requests: object[] = [];
  const server = await httpServer(async (request, response) => {
    const { method, url: target, headers } = request;
    const owner = headers['x-payload-store-workflow-id'];
    requests.push({ method, target, owner, body: digestOf(await buffer(request)) });
    response.end(method === 'PUT' ? JSON.stringify({ Key: vector.key }) : bytesOf(vector.payload.data));
  });
  return Object.assign(server, { requests });
}

async function expectOutcome(
  {
    answer,
    delayMs = 0,
    acceptPlainTextErrors,
    error,
    retryable,
    retryAfterSeconds,
  }: (typeof decodeVectors.getAnswers)[number],
  call: (client: BlobClient) => Promise<unknown>,
): Promise<void> {
  await using service = await rawServer((socket) => {
    setTimeout(() => socket.resume().end(answer), delayMs);
  });
  const outcome = call(new BlobClient({ url: service.url, acceptPlainTextErrors }));
  if (error === null) {
    await outcome;
    return;
  }
  const failure = await failureOf(outcome);
  expect(failure).toBeInstanceOf(errorClasses[error]);
  expect(failure).toMatchObject({ retryable, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) });
}
