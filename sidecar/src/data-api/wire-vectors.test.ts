import { encodeMetadataHeader, LargePayloadCodec } from '@largepayload/codec';
import { call, expectError } from '@largepayload/testing/service/http-call';
import { digestOf, getHeaders, OCTETS, testPayload } from '@largepayload/testing/service/payload';
import { filesIn, startService, type TestService } from '@largepayload/testing/service/running-service';
import {
  bytesOf,
  type EncodeVector,
  encodeVectors,
  inFormOf,
  keyVectors,
  metadataOf,
} from '@largepayload/testing/wire-vectors/vectors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

describe.each(encodeVectors)('$name', (vector) => {
  const bytes = Buffer.from(bytesOf(vector.payload.data));

  test('is stored under the key of the vector, by the requests of the vector', async () => {
    await using service = await startService();
    const put = { method: 'PUT', headers: putHeaders(vector, bytes), body: bytes };
    const acknowledged = JSON.stringify({ Key: vector.key });
    for (const status of [201, 200]) {
      const answer = await call(service.data, vector.put.target, put);
      expect([answer.status, answer.body.toString()]).toEqual([status, acknowledged]);
    }
    const got = await call(service.data, vector.getTarget, { headers: getHeaders(bytes.length) });
    expect([got.status, digestOf(got.body)]).toEqual([200, vector.digest]);
    expect(await filesIn(service.folder)).toEqual([vector.key]);
  });

  test('becomes the reference of the vector when the codec stores it, and comes back', async () => {
    await using service = await startService();
    const { namespace, workflowId, payload, reference } = vector;
    const original = { metadata: Object.fromEntries(metadataOf(payload.metadata)), data: bytes };
    const url = `http://${service.data}`;
    const codec = new LargePayloadCodec({ url, namespace, thresholdBytes: 0 });
    const [encoded = {}] = await codec.encode([original], workflowId === undefined ? {} : { workflowId });
    expect(inFormOf(reference.data, encoded.data ?? '')).toEqual(reference.data);
    expect(new Map(Object.entries(encoded.metadata ?? {}))).toEqual(metadataOf(reference.metadata));
    const sizes = (encoded.externalPayloads ?? []).map(({ sizeBytes }) => Number(sizeBytes));
    expect(sizes).toEqual(reference.externalPayloads.slice(-1));
    const [decoded = {}] = await codec.decode([encoded]);
    expect(new Map(Object.entries(decoded.metadata ?? {}))).toEqual(metadataOf(payload.metadata));
    expect(digestOf(Buffer.from(decoded.data ?? []))).toBe(vector.digest);
  });
});

describe('keys and workflow ids', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service[Symbol.asyncDispose]());

  const get = (key: string) => call(service.data, `/v2/blobs/get?key=${key}`, { headers: getHeaders(1) });

  test.each(keyVectors.keys)('$key is understood, escaped once, twice or not at all', async (vector) => {
    for (const key of [vector.key, vector.escaped, vector.escapedTwice]) {
      expectError(await get(key), 'key_not_found');
    }
  });

  test.each(keyVectors.refusedKeys)('a key with or as $name is refused', async ({ key }) => {
    expectError(await get(encodeURIComponent(key)), 'invalid_key');
    expectError(await get(encodeURIComponent(encodeURIComponent(key))), 'invalid_key');
  });

  test.each(keyVectors.owners)('the owner: $name', async ({ namespace, header, keyPrefix }) => {
    const { bytes, putPath, putHeaders, digest } = testPayload('owned', namespace);
    const headers = { ...putHeaders, 'X-Payload-Store-Workflow-Id': header };
    const answer = await call(service.data, putPath, { method: 'PUT', headers, body: bytes });
    const place = keyPrefix === null ? 'common' : `custom/${keyPrefix}`;
    expect(answer.body.toString()).toMatch(`{"Key":"/blobs/${namespace}/${place}/${digest}/sha256:`);
  });

  test.each(keyVectors.refusedOwners)('an owner that is or has $name is refused', async ({ header }) => {
    const { bytes, putPath, putHeaders } = testPayload('not owned');
    const owner = typeof header === 'string' ? header : header.repeat.repeat(header.times);
    const headers = { ...putHeaders, 'X-Payload-Store-Workflow-Id': owner };
    const answer = await call(service.data, putPath, { method: 'PUT', headers, body: bytes });
    expectError(answer, 'invalid_workflow_id');
  });
});

function putHeaders({ payload, put }: EncodeVector, bytes: Buffer): Record<string, string> {
  const { metadataHeader, workflowIdHeader } = put;
  const written = encodeMetadataHeader(metadataOf(payload.metadata));
  return {
    'Content-Type': OCTETS,
    'Content-Length': String(bytes.length),
    'X-Temporal-Metadata': typeof metadataHeader === 'string' ? metadataHeader : written,
    ...(workflowIdHeader !== undefined && { 'X-Payload-Store-Workflow-Id': workflowIdHeader }),
  };
}
