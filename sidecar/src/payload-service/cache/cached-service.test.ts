import { beforeEach, describe, expect, test } from 'vitest';
import { bytesOf } from '../../bytes/byte-streams.ts';
import { factsOf, someBytes } from '../../drivers/conformance/subject.ts';
import { ServiceError } from '../../errors/service-error.ts';
import { CachedService } from './cached-service.ts';
import { getRequest, keyOf, putRequest, Upstream } from './upstream.fixture.ts';

const MIB = 2 ** 20;
const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 10, 24, 12);
const bytes = someBytes(300_000);
const other = someBytes(200_000);

let upstream: Upstream;
let cached: CachedService;
let now: number;
beforeEach(() => {
  now = NOON;
  upstream = new Upstream();
  cached = new CachedService(upstream, { limitBytes: 8 * MIB, now: () => now });
});

const read = async (key: string, size = bytes.length) =>
  await bytesOf(await cached.get(key, getRequest(size)));

describe('a GET', () => {
  test('is answered from memory the second time', async () => {
    const key = upstream.add(bytes);
    for (let round = 0; round < 3; round += 1) expect((await read(key)).equals(bytes)).toBe(true);
    expect(upstream.asked).toEqual([key]);
    expect(cached.figures).toMatchObject({ hits: 2, misses: 1, admissions: 1, evictions: 0, refused: 0 });
  });

  test('of an empty payload is answered from memory too', async () => {
    const key = upstream.add(Buffer.alloc(0));
    for (let round = 0; round < 2; round += 1) expect(await read(key, 0)).toHaveLength(0);
    expect(upstream.asked).toHaveLength(1);
  });

  test('has the size of the payload from memory, whatever the caller expects', async () => {
    const key = upstream.add(bytes);
    await read(key);
    const blob = await cached.get(key, getRequest(1));
    expect(blob.size).toBe(bytes.length);
    await blob.close();
  });

  test('of the same bytes under another key asks upstream, which knows whether there is such a payload', async () => {
    const key = upstream.add(bytes);
    await read(key);
    const elsewhere = key.replace('/orders/', '/invoices/');
    await expect(read(elsewhere)).rejects.toMatchObject({ code: 'key_not_found' });
    expect(upstream.asked).toEqual([key, elsewhere]);
  });

  test('of what is no key is refused without asking upstream', async () => {
    await expect(read('/blobs/orders/../etc')).rejects.toMatchObject({ code: 'invalid_key' });
    await expect(cached.getVersionOne('sha256:no', getRequest(1))).rejects.toMatchObject({
      code: 'invalid_digest',
    });
    expect(upstream.asked).toEqual([]);
  });

  test('of version 1 is answered from memory the second time', async () => {
    const { digest } = factsOf(bytes);
    upstream.payloads.set(`blobs/${digest}`, bytes);
    for (let round = 0; round < 2; round += 1) {
      const blob = await cached.getVersionOne(digest, getRequest(bytes.length));
      expect((await bytesOf(blob)).equals(bytes)).toBe(true);
    }
    expect(upstream.asked).toHaveLength(1);
  });

  test('of a caller who has left is not begun', async () => {
    const key = upstream.add(bytes);
    const gone = AbortSignal.abort(new Error('gone'));
    await expect(cached.get(key, getRequest(bytes.length, gone))).rejects.toThrow('gone');
    expect(upstream.asked).toEqual([]);
  });

  test.each(['key_not_found', 'storage_unavailable', 'namespace_denied', 'integrity'] as const)(
    'that upstream answers by %s is asked again the next time',
    async (code) => {
      const key = upstream.add(bytes);
      const refusal = new ServiceError(code, 'as upstream says');
      upstream.answer = async (_key, count) => {
        if (count <= 2) throw refusal;
        return undefined;
      };
      for (let round = 0; round < 2; round += 1) await expect(read(key)).rejects.toBe(refusal);
      expect((await read(key)).equals(bytes)).toBe(true);
      expect(upstream.asked).toHaveLength(3);
      expect(cached.figures).toMatchObject({ admissions: 1, refused: 0 });
    },
  );

  test('that breaks off in the middle fails, and nothing of it stays', async () => {
    const key = upstream.add(bytes);
    const broken = new ServiceError('storage_unavailable', 'the connection broke');
    upstream.answer = async (_key, count) => (count > 1 ? undefined : brokenOff(bytes, broken));
    await expect(read(key)).rejects.toBe(broken);
    expect(cached.figures).toMatchObject({ bytes: 0, admissions: 0, refused: 0 });
    expect((await read(key)).equals(bytes)).toBe(true);
  });
});

function brokenOff(content: Buffer, error: Error) {
  return {
    size: content.length,
    async *chunks() {
      yield content.subarray(0, 1_000);
      throw error;
    },
  };
}

describe('a payload whose window has ended', () => {
  const window = { end: NOON + HOUR, ttl: 8 * HOUR };

  test('is not served from memory, and leaves it', async () => {
    const key = upstream.add(bytes, window);
    await read(key);
    now = window.end - 1;
    await read(key);
    expect(upstream.asked).toHaveLength(1);
    now = window.end;
    upstream.payloads.clear();
    await expect(read(key)).rejects.toMatchObject({ code: 'key_not_found' });
    expect(cached.figures).toMatchObject({ bytes: 0, evictions: 0 });
  });

  test('is served as upstream has it and does not come into memory', async () => {
    now = window.end;
    const key = upstream.add(bytes, window);
    for (let round = 0; round < 2; round += 1) expect((await read(key)).equals(bytes)).toBe(true);
    expect(upstream.asked).toHaveLength(2);
    expect(cached.figures).toMatchObject({ bytes: 0, admissions: 0 });
  });

  test('does not come into memory when the window ends while it arrives, nor after a PUT', async () => {
    const key = upstream.add(bytes, window);
    upstream.answer = async () => {
      now = window.end;
      return undefined;
    };
    await read(key);
    upstream.window = window;
    await cached.put(putRequest(bytes));
    expect(cached.figures).toMatchObject({ bytes: 0, admissions: 0 });
  });
});

describe('a PUT', () => {
  test('that is acknowledged fills the cache', async () => {
    const { key } = await cached.put(putRequest(bytes));
    expect((await read(key)).equals(bytes)).toBe(true);
    expect(upstream.asked).toEqual([]);
    expect(cached.figures).toMatchObject({ hits: 1, misses: 0, admissions: 1 });
  });

  test('fills the cache only when it is acknowledged', async () => {
    let acknowledge = () => {};
    const acknowledged = new Promise<void>((resolve) => {
      acknowledge = resolve;
    });
    upstream.acknowledge = async (result) => {
      await acknowledged;
      return result;
    };
    const putting = cached.put(putRequest(bytes));
    await read(upstream.add(bytes));
    expect(upstream.asked).toHaveLength(1);
    acknowledge();
    await putting;
    expect(cached.figures.admissions).toBe(1);
  });

  test.each([
    ['refused', () => Promise.reject(new ServiceError('storage_full', 'full'))],
    [
      'acknowledged under the key of other bytes',
      async () => ({ key: keyOf(other), outcome: 'created' as const }),
    ],
    ['acknowledged under what is no key', async () => ({ key: '/elsewhere', outcome: 'created' as const })],
  ])('that is %s leaves nothing in the cache', async (_how, acknowledge) => {
    upstream.acknowledge = acknowledge;
    await cached.put(putRequest(bytes)).catch(() => {});
    expect(cached.figures).toMatchObject({ bytes: 0, admissions: 0 });
  });

  test('of wrong, of missing and of too many bytes has the error of upstream and leaves nothing in the cache', async () => {
    const wrong = [other, bytes.subarray(1), Buffer.concat([bytes, other])];
    for (const content of wrong) {
      const putting = cached.put(putRequest(content, { facts: factsOf(bytes) }));
      await expect(putting).rejects.toMatchObject({ code: 'digest_mismatch' });
    }
    expect(cached.figures).toMatchObject({ bytes: 0, admissions: 0, refused: 0 });
  });

  test('whose body breaks off has that error and leaves nothing in the cache', async () => {
    const left = new ServiceError('body_incomplete', 'the client left');
    const body = {
      async readInto(sink: { write(chunk: Buffer): unknown }) {
        await sink.write(bytes.subarray(0, 1_000));
        throw left;
      },
    };
    await expect(cached.put(putRequest(bytes, { body }))).rejects.toBe(left);
    expect(cached.figures.bytes).toBe(0);
  });

  test('whose body upstream does not read takes no memory and leaves nothing in the cache', async () => {
    let during = -1;
    upstream.put = async () => {
      during = cached.figures.bytes;
      return { key: keyOf(bytes), outcome: 'existed' };
    };
    await cached.put(putRequest(bytes));
    expect(during).toBe(0);
    expect(cached.figures).toMatchObject({ bytes: 0, admissions: 0 });
  });

  test('of a payload that is in the cache already keeps one of both', async () => {
    await cached.put(putRequest(bytes));
    const { bytes: one } = cached.figures;
    await cached.put(putRequest(bytes));
    expect(cached.figures).toMatchObject({ bytes: one, admissions: 1, evictions: 0 });
  });

  test('waits for upstream as it would without a cache', async () => {
    let open = () => {};
    let taken = 0;
    upstream.put = async ({ body }) => {
      const gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      await body.readInto({
        write() {
          taken += 1;
          return gate;
        },
      });
      return { key: keyOf(bytes), outcome: 'created' };
    };
    const putting = cached.put(putRequest(bytes));
    await new Promise(setImmediate);
    expect(taken).toBe(1);
    open();
    await putting;
  });
});

test('whether payloads can be used is what upstream says', async () => {
  await expect(cached.assertUsable()).rejects.toMatchObject({ code: 'storage_unavailable' });
});
