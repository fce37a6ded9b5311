import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { factsOf, inChunks, someBytes } from '../drivers/conformance/subject.ts';
import { sourceOf } from './byte-streams.ts';
import { TagChecks } from './check-by-tag.ts';
import { verifiedSource } from './verified-body.ts';

const openssl = vi.hoisted(() => ({ nonces: [] as string[], fips: 0 as 0 | 1 }));
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>();
  const createCipheriv = (cipher: string, key: Buffer, nonce: Buffer) => {
    openssl.nonces.push(nonce.toString('hex'));
    return crypto.createCipheriv(cipher as 'aes-128-gcm', key, nonce);
  };
  return { ...crypto, createCipheriv, getFips: () => openssl.fips };
});

const SIZE = 100_000;
const bytes = someBytes(SIZE);
const facts = factsOf(bytes);
const WHOLE = { delivered: SIZE, error: undefined };
const BY_TAG = expect.stringContaining('which were read before');
const BY_HASH = expect.stringContaining('the bytes have the digest');

let checks: TagChecks;
beforeEach(() => {
  checks = new TagChecks();
  openssl.nonces = [];
  openssl.fips = 0;
});

/** What a reader of the stored bytes gets, when `promised` is what it asked for. */
async function read(stored: Buffer, chunkSize = SIZE, promised = facts, namespace = 'orders') {
  let delivered = 0;
  const source = verifiedSource(
    sourceOf(inChunks(stored, chunkSize)),
    { ...promised, size: stored.length },
    (of) => checks.begin(of, namespace),
  );
  const error = await source
    .readInto({
      write(chunk) {
        delivered += chunk.length;
        return undefined;
      },
    })
    .then(
      () => undefined,
      ({ message }) => message,
    );
  return { delivered, error };
}

function withFlippedBit(position: number): Buffer {
  const altered = Buffer.from(bytes);
  altered.writeUInt8(altered.readUInt8(position) ^ 1, position);
  return altered;
}

const DAMAGES: [string, Buffer][] = [
  ['the first bit flipped', withFlippedBit(0)],
  ['a bit in the middle flipped', withFlippedBit(SIZE / 2)],
  ['the last bit flipped', withFlippedBit(SIZE - 1)],
  ['the last byte missing', bytes.subarray(0, SIZE - 1)],
  ['a zero byte appended', Buffer.concat([bytes, Buffer.alloc(1)])],
  ['whole blocks of zeros appended', Buffer.concat([bytes, Buffer.alloc(64)])],
  [
    'two of their blocks exchanged',
    Buffer.concat([bytes.subarray(16, 32), bytes.subarray(0, 16), bytes.subarray(32)]),
  ],
  ['the bytes of another payload', someBytes(SIZE, 'other')],
];

describe.each(DAMAGES)('stored bytes with %s', (_name, damaged) => {
  describe.each([
    ['in one chunk', 2 * SIZE],
    ['in chunks of 30,000 bytes', 30_000],
    ['in chunks of 16 bytes', 16],
  ])('%s', (_chunks, chunkSize) => {
    test('are never delivered whole by the first read', async () => {
      const { delivered, error } = await read(damaged, chunkSize);
      expect(error).toEqual(BY_HASH);
      expect(delivered).toBe(lastChunkAt(damaged, chunkSize));
    });

    test('are never delivered whole by a later read, and do not spoil the reads after it', async () => {
      await read(bytes);
      const { delivered, error } = await read(damaged, chunkSize);
      expect(error).toEqual(BY_TAG);
      expect(delivered).toBe(lastChunkAt(damaged, chunkSize));
      expect((await read(damaged, chunkSize)).error).toEqual(BY_HASH);
      expect(await read(bytes)).toEqual(WHOLE);
      expect((await read(damaged, chunkSize)).error).toEqual(BY_TAG);
    });
  });
});

function lastChunkAt({ length }: Buffer, chunkSize: number): number {
  return Math.floor((length - 1) / chunkSize) * chunkSize;
}

test('a later read of the same bytes in other chunks passes, and makes no further tag', async () => {
  for (const chunkSize of [SIZE, 7, 65_536, SIZE]) expect(await read(bytes, chunkSize)).toEqual(WHOLE);
  expect(openssl.nonces).toHaveLength(1);
});

test('bytes that were verified for a digest are refused for another digest that has a tag too', async () => {
  const other = someBytes(SIZE, 'other');
  await read(bytes);
  await read(other, SIZE, factsOf(other));
  expect((await read(other)).error).toEqual(BY_TAG);
  expect((await read(bytes, SIZE, factsOf(other))).error).toEqual(BY_TAG);
});

test('a read that breaks off leaves no tag', async () => {
  const leaving = { write: () => Promise.reject(new Error('the reader has left')) };
  const source = verifiedSource(sourceOf(inChunks(bytes, 30_000)), facts, (of) => checks.begin(of));
  await expect(source.readInto(leaving)).rejects.toThrow('the reader has left');
  expect((await read(withFlippedBit(0))).error).toEqual(BY_HASH);
});

test('first reads at the same time each make a tag, and the last tag counts', async () => {
  const reads = await Promise.all([1_000, 2_000, SIZE].map((chunkSize) => read(bytes, chunkSize)));
  expect(reads).toEqual([WHOLE, WHOLE, WHOLE]);
  expect(new Set(openssl.nonces).size).toBe(3);
  expect((await read(withFlippedBit(0))).error).toEqual(BY_TAG);
});

test('no two tags have the same nonce, also after a tag was dropped', async () => {
  await read(bytes);
  await read(withFlippedBit(0));
  await read(withFlippedBit(0));
  await read(bytes);
  expect(openssl.nonces).toHaveLength(3);
  expect(new Set(openssl.nonces).size).toBe(3);
});

test('a read under way keeps its tag when another read drops the entry', async () => {
  await read(bytes);
  const slow = checks.begin(facts, 'orders');
  slow.take(bytes.subarray(0, 10));
  expect((await read(withFlippedBit(5))).error).toEqual(BY_TAG);
  slow.take(bytes.subarray(10));
  expect(slow.finish()).toBe(undefined);
});

test('bytes that were read in one Temporal namespace are hashed in another, so that no time shows that they were', async () => {
  await read(bytes);
  expect((await read(withFlippedBit(0), SIZE, facts, 'billing')).error).toEqual(BY_HASH);
  expect(await read(bytes, SIZE, facts, 'billing')).toEqual(WHOLE);
  expect(openssl.nonces).toHaveLength(3);
});

test('a new process has no tags', async () => {
  await read(bytes);
  checks = new TagChecks();
  expect((await read(withFlippedBit(0))).error).toEqual(BY_HASH);
});

test('the digest of zeros finds no tag in an empty table', async () => {
  const zeros = { size: SIZE, digest: `sha256:${'0'.repeat(64)}` };
  expect((await read(bytes, SIZE, zeros)).error).toEqual(BY_HASH);
});

test('payloads below 64 KiB, and all payloads in FIPS mode, are hashed at each read', async () => {
  const small = bytes.subarray(0, 64 * 1024 - 1);
  await read(small, SIZE, factsOf(small));
  openssl.fips = 1;
  await read(bytes);
  expect(openssl.nonces).toEqual([]);
  expect((await read(withFlippedBit(0))).error).toEqual(BY_HASH);
});

test('many payloads are checked by the tags of their own digests', async () => {
  const payloads = Array.from({ length: 200 }, (_, index) => {
    const payload = Buffer.from(bytes.subarray(0, 65_536));
    payload.writeUInt32BE(index);
    return { payload, digest: `sha256:${createHash('sha256').update(payload).digest('hex')}` };
  });
  for (let round = 0; round < 2; round += 1) {
    for (const { payload, digest } of payloads)
      expect((await read(payload, SIZE, { size: payload.length, digest })).error).toBe(undefined);
  }
  expect(openssl.nonces).toHaveLength(200);
});
