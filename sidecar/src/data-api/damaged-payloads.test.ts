import { appendFile, open, rm, truncate } from 'node:fs/promises';
import { RawConnection } from '@largepayload/testing/servers/raw-connection';
import { type Answer, call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { generatedBytes, getHeaders, getPath, testPayload } from '@largepayload/testing/service/payload';
import {
  filesIn,
  metric,
  startService,
  type TestService,
} from '@largepayload/testing/service/running-service';
import { describe, expect, test } from 'vitest';
import { objectPath } from '../drivers/filesystem/object-paths.ts';

/** What the service verifies before the first byte of its answer; of more it has to break the answer off. */
const ONE_CHUNK = 512 * 1024;

async function flipBit(file: string, position: number): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, position);
    byte.writeUInt8(byte.readUInt8() ^ 1);
    await handle.write(byte, 0, 1, position);
  } finally {
    await handle.close();
  }
}

/** Each leaves the file with other bytes, most of them with another length. */
const DAMAGES: [string, (file: string, size: number) => Promise<void>][] = [
  ['its first bit flipped', (file) => flipBit(file, 0)],
  ['its last bit flipped', (file, size) => flipBit(file, size - 1)],
  ['its last byte missing', (file, size) => truncate(file, size - 1)],
  ['half of it missing', (file, size) => truncate(file, size >> 1)],
  ['all of it missing', (file) => truncate(file, 0)],
  ['a byte too many', (file) => appendFile(file, 'x')],
];

async function stored(service: TestService, bytes: Buffer) {
  const { putPath, putHeaders, getHeaders } = testPayload(bytes);
  const put = () => call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
  const key = keyOf(await put());
  const get = (headers = getHeaders) => call(service.data, getPath(key), { headers });
  return { file: objectPath(service.folder, key), put, get };
}

describe.each(DAMAGES)('a stored payload with %s', (_name, damage) => {
  test.each([100, ONE_CHUNK])('of %i bytes answers 502, until it is put again', async (size) => {
    await using service = await startService();
    const bytes = generatedBytes(size);
    const { file, put, get } = await stored(service, bytes);
    await damage(file, size);
    expectError(await get(), 'integrity');
    expect(await metric(service, 'payload_store_get_errors_total{code="integrity"}')).toBe(1);
    expect((await put()).status).toBe(201);
    expect((await get()).body.equals(bytes)).toBe(true);
    expect(await filesIn(service.folder)).toHaveLength(1);
  });

  test.each([ONE_CHUNK + 1, 3_000_001])('of %i bytes is never answered whole', async (size) => {
    await using service = await startService();
    const bytes = generatedBytes(size);
    const { file, put, get } = await stored(service, bytes);
    await damage(file, size);
    const outcome = await get().catch((error: Error) => error);
    // Refused before the first byte where the length tells, else broken off before the last.
    if (outcome instanceof Error) expect(outcome.message).toMatch(/aborted|ECONNRESET|hang up/);
    else expectError(outcome, 'integrity');
    expect(await metric(service, 'payload_store_get_errors_total{code="integrity"}')).toBe(1);
    expect(await metric(service, 'payload_store_in_flight_bytes')).toBe(0);
    expect((await put()).status).toBe(201);
    expect((await get()).body.equals(bytes)).toBe(true);
  });
});

test.each(DAMAGES)(
  'a payload that was read and now has %s is never answered whole',
  async (_name, damage) => {
    await using service = await startService();
    for (const size of [ONE_CHUNK, 3_000_001]) {
      const bytes = generatedBytes(size);
      const { file, put, get } = await stored(service, bytes);
      for (let reads = 0; reads < 2; reads += 1) expect((await get()).body.equals(bytes)).toBe(true);
      await damage(file, size);
      const outcome = await get().catch((error: Error) => error);
      if (outcome instanceof Error) expect(outcome.message).toMatch(/aborted|ECONNRESET|hang up/);
      else expectError(outcome, 'integrity');
      expect((await put()).status).toBe(201);
      for (let reads = 0; reads < 2; reads += 1) expect((await get()).body.equals(bytes)).toBe(true);
    }
    expect(await metric(service, 'payload_store_get_errors_total{code="integrity"}')).toBe(2);
  },
);

test('a reference with another length than the stored payload is refused, small or large', async () => {
  await using service = await startService();
  for (const size of [100, 3_000_000]) {
    const { get } = await stored(service, generatedBytes(size));
    for (const expected of [0, size - 1, size + 1, 10 ** 15 - 1]) {
      expectError(await get(getHeaders(expected)), 'expected_length_mismatch');
    }
    expect((await get()).status).toBe(200);
  }
});

test('bytes that do not match their digest are never seen by a reader, however slowly they arrive', async () => {
  await using service = await startService();
  const right = generatedBytes(2_000_000);
  const wrong = Buffer.from(right);
  wrong.writeUInt8(wrong.readUInt8(right.length - 1) ^ 1, right.length - 1);
  const { putPath, putHeaders, digest } = testPayload(right);
  const key = await keyInAnotherStore(right);
  const seen = new Set<number>();
  let putting = true;
  const reading = (async () => {
    while (putting) {
      const answer = await call(service.data, getPath(key), { headers: getHeaders(right.length) });
      seen.add(answer.status);
      const listed = await filesIn(service.folder);
      expect(listed.filter((file) => file.includes(digest))).toEqual([]);
    }
  })();
  const answer = await putSlowly(service.data, putPath, putHeaders, wrong);
  putting = false;
  await reading;
  expectError(answer, 'digest_mismatch');
  expect([...seen]).toEqual([404]);
  expect(await filesIn(service.folder)).toEqual([]);
});

test('a storage that has gone is not taken for a payload that never was', async () => {
  await using service = await startService();
  const { get } = await stored(service, Buffer.from('still on the other disk'));
  await rm(service.folder, { recursive: true });
  expectError(await get(), 'storage_unavailable');
});

async function keyInAnotherStore(bytes: Buffer): Promise<string> {
  await using other = await startService();
  const { putPath, putHeaders } = testPayload(bytes);
  return keyOf(await call(other.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes }));
}

async function putSlowly(
  address: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  bytes: Buffer,
): Promise<Answer> {
  await using connection = await RawConnection.open(address);
  await connection.sendHead(`PUT ${path} HTTP/1.1`, headers);
  const parts = 20;
  for (let part = 0; part < parts; part += 1) {
    const from = (bytes.length / parts) * part;
    await connection.send(bytes.subarray(from, from + bytes.length / parts));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return await connection.answer();
}
