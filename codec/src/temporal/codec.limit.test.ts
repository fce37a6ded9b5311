import { setImmediate as nextLoopIteration } from 'node:timers/promises';
import { httpServer } from '@largepayload/testing/servers/test-server';
import { type MemoryService, memoryService } from '@largepayload/testing/service/memory-service';
import type { Payload } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { failureOf, within } from '../failures.fixture.ts';
import { DecodedBytesLimitError, PayloadIntegrityError } from '../wire/errors.ts';
import { LargePayloadCodec } from './codec.ts';

const sizeBytes = 1_000;

function codecOf(service: { url: string }, maxDecodedBytes: number): LargePayloadCodec {
  return new LargePayloadCodec({ url: service.url, namespace: 'orders', thresholdBytes: 0, maxDecodedBytes });
}

/** References to so many different payloads of 1,000 bytes. */
async function referencesIn(service: MemoryService, count: number, encoding = 'binary/plain') {
  const payloads = Array.from({ length: count }, (_, index) => ({
    metadata: { encoding: Buffer.from(encoding) },
    data: Buffer.from(String(index).padEnd(sizeBytes)),
  }));
  const references = await codecOf(service, 0).encode(payloads);
  service.calls.length = 0;
  return references;
}

const tooMany = (payloads: number, limit: number) => ({
  name: 'DecodedBytesLimitError',
  retryable: false,
  message: expect.stringContaining(
    `${payloads} payloads of together ${payloads * sizeBytes} bytes were to be decoded at once, more than the limit of ` +
      `${limit} bytes`,
  ),
});

describe('more than the limit', () => {
  test('in one call is refused before anything is asked for', async () => {
    await using service = await memoryService();
    const references = await referencesIn(service, 11);
    const failure = await failureOf(codecOf(service, 10 * sizeBytes).decode(references));
    expect(failure).toBeInstanceOf(DecodedBytesLimitError);
    expect(failure).toMatchObject(tooMany(11, 10 * sizeBytes));
    expect(service.calls).toEqual([]);
    expect(await codecOf(service, 11 * sizeBytes).decode(references)).toHaveLength(11);
  });

  test('of references to one payload is refused, too', async () => {
    await using service = await memoryService();
    const [reference = {}] = await referencesIn(service, 1);
    const bomb = Array.from({ length: 50 }, () => structuredClone(reference));
    expect(await failureOf(codecOf(service, 10 * sizeBytes).decode(bomb))).toMatchObject(
      tooMany(50, 10 * sizeBytes),
    );
    expect(service.calls).toEqual([]);
  });

  test('in calls that begin together fails them all at once', async () => {
    const unanswered = new Promise<void>(() => undefined);
    await using service = await memoryService();
    const references = await referencesIn(service, 50);
    await using slow = await httpServer(() => unanswered);
    const codec = codecOf(slow, 10 * sizeBytes);
    const outcomes = Promise.all(references.map((reference) => failureOf(codec.decode([reference]))));
    for (const failure of await within(5_000, outcomes)) {
      expect(failure).toMatchObject({ name: 'DecodedBytesLimitError' });
    }
    expect(slow.connections.length).toBeLessThanOrEqual(10);
  });

  test('is not refused by a size that a reference only claims: the bytes are refused', async () => {
    await using service = await memoryService();
    const references = await referencesIn(service, 11);
    const small = references.map((reference) => {
      const json = Buffer.from(reference.data ?? []).toString();
      return { ...reference, data: new TextEncoder().encode(json.replace('"size":1000', '"size":1')) };
    });
    const failure = await failureOf(codecOf(service, 10 * sizeBytes).decode(small));
    expect(failure).toBeInstanceOf(PayloadIntegrityError);
  });
});

describe('the limit is not reached by', () => {
  test('a payload alone, whatever its size', async () => {
    await using service = await memoryService();
    const [reference = {}] = await referencesIn(service, 1);
    expect(await codecOf(service, 0).decode([reference])).toHaveLength(1);
  });

  test('calls one after the other, of the same references as well', async () => {
    await using service = await memoryService();
    const references = await referencesIn(service, 20);
    const codec = codecOf(service, 2 * sizeBytes);
    for (const reference of [...references, ...references]) {
      expect(await codec.decode([reference])).toHaveLength(1);
    }
  });

  test('calls that overlap and began apart', async () => {
    await using service = await memoryService();
    const references = await referencesIn(service, 20);
    const codec = codecOf(service, sizeBytes);
    const decoding: Promise<Payload[]>[] = [];
    for (const reference of references) {
      decoding.push(codec.decode([reference]));
      await nextLoopIteration();
    }
    expect(await Promise.all(decoding)).toHaveLength(20);
  });

  test('payloads that are no references', async () => {
    await using service = await memoryService();
    const payloads = Array.from({ length: 20 }, () => ({ data: new Uint8Array(sizeBytes) }));
    expect(await codecOf(service, sizeBytes).decode(payloads)).toEqual(payloads);
  });
});

test.each([
  ['json/plain', true],
  ['json/protobuf', true],
  ['binary/plain', false],
  ['binary/encrypted', false],
])('equal references to %s share memory: %s', async (encoding, isShared) => {
  await using service = await memoryService();
  const [reference = {}] = await referencesIn(service, 1, encoding);
  const [one, other] = await codecOf(service, 2 * sizeBytes).decode([reference, structuredClone(reference)]);
  expect(other?.data).toEqual(one?.data);
  expect(other?.data?.buffer === one?.data?.buffer).toBe(isShared);
  expect(service.calls).toHaveLength(1);
});
