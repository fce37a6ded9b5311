import { httpServer } from '@largepayload/testing/servers/test-server';
import { describe, expect, test, vi } from 'vitest';
import { failureOf } from '../failures.fixture.ts';
import { BlobClient } from '../transport/blob-client.ts';
import { digestOf } from './digest.ts';
import { PayloadStoreUnavailableError } from './errors.ts';
import { metadataHash } from './metadata.ts';
import { putTimeLimit } from './put-time-limit.ts';

describe('the limit that a key names', () => {
  test.each([
    ['/blobs/orders/common/x', 900_000],
    ['/expires-20261224T000000Z-30d/orders/common/x', 900_000],
    ['/expires-20261224T000000Z-1h/orders/common/x', 900_000],
    ['/expires-20261224T000000Z-59m/orders/common/x', 885_000],
    ['/expires-20261224T000000Z-13s/orders/common/x', 3_250],
    ['/expires-20261224T000000Z-8s/orders/common/x', 2_000],
    ['/expires-20261224T000000Z-1s/orders/common/x', 2_000],
    ['/expires-something-else', 900_000],
  ])('%s: %i ms', (key, limit) => expect(putTimeLimit(key)).toBe(limit));
});

describe('an acknowledgement', () => {
  const data = Buffer.from('payload');
  const metadata = new Map();
  const suffix = `orders/common/${digestOf(data)}/${metadataHash(metadata)}`;
  const put = { namespace: 'orders', digest: digestOf(data), size: data.byteLength, metadata, body: data };

  async function putAnsweredAfter(delayMs: number, key: string) {
    await using service = await httpServer((request, response) => {
      request.resume().on('end', () => {
        setTimeout(() => response.end(JSON.stringify({ Key: key })), delayMs);
      });
    });
    return await new BlobClient({ url: service.url }).put(put);
  }

  test('that is later than the store allows is not believed', async () => {
    const key = `/expires-20261224T000000Z-8s/${suffix}`;
    expect(await putAnsweredAfter(1_700, key)).toEqual({ key, created: false });
    const failure = await failureOf(putAnsweredAfter(2_100, key));
    expect(failure).toBeInstanceOf(PayloadStoreUnavailableError);
    expect(failure).toMatchObject({ code: 'put_timeout', key, retryable: true });
  });

  test('nor one that comes after the machine has slept', async () => {
    const key = `/blobs/${suffix}`;
    const wallClock = vi.spyOn(Date, 'now');
    wallClock.mockReturnValueOnce(0).mockReturnValue(900_001);
    try {
      expect(await failureOf(putAnsweredAfter(0, key))).toMatchObject({ code: 'put_timeout' });
    } finally {
      wallClock.mockRestore();
    }
  });
});
