import { BlobClient, digestOf, metadataFromRecord } from '@largepayload/codec';
import type { Observed } from '@largepayload/testing/fault-proxy/observations';
import { EVERY_OPERATION, type S3Operation } from '@largepayload/testing/fault-proxy/s3-request';
import { startSeaweedfs } from '@largepayload/testing/s3-servers/seaweedfs';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesOf } from '../content.fixture.ts';
import { readyUrl } from '../recovery.fixture.ts';
import { type RunningStore, StoreBed } from '../store.fixture.ts';

const STORES = [
  { name: 'expiring', ttl: '30d' },
  { name: 'forever', ttl: 'Forever' },
];
const MIB = 1024 * 1024;
/** ms: 15 s, at most a tenth earlier */
const SHORTEST_RENEWAL = 13_500;
const SERVERS = [
  // versitygw refuses a body without reading it and closes the connection, so with larger bodies its answer may be lost.
  { server: 'versitygw', start: startVersitygw, sizes: [200_000, MIB, 8 * MIB] },
  { server: 'seaweedfs', start: startSeaweedfs, sizes: [200_000, MIB, 8 * MIB] },
];

describe.each(SERVERS)('requests to $server, without faults', ({ start, sizes }) => {
  let bed: StoreBed;
  const stores: RunningStore[] = [];
  let started = 0;

  beforeAll(async () => {
    started = performance.now();
    bed = await StoreBed.open(start, 1);
    for (const options of STORES) stores.push(await bed.startStore(options));
    const [expiring] = stores;
    // The reaper's first pass lists. The next pass is an hour away.
    await eventualValue(async () => (expiring && (await expiring.service.sum(PASSES))) || undefined);
  });
  afterAll(() => bed?.close());

  /**
   * The requests that an operation takes, by kind, without those of the lease. The clock is compared just before, which holds for
   * 30 s.
   */
  async function requestsOf({ service }: RunningStore, operation: (client: BlobClient) => Promise<unknown>) {
    await fetch(readyUrl(service));
    const client = new BlobClient({ url: service.url });
    const before = await bed.proxy.observed();
    await operation(client);
    const after = await bed.proxy.observed();
    client.close();
    expect(after.faults).toEqual({});
    return countsBetween(before, after);
  }

  describe.each([0, 1])('store %i', (index) => {
    const store = () => stores[index] as RunningStore;
    const metadata = metadataFromRecord({});
    const put = (body: Buffer) => (client: BlobClient) =>
      client.put({ namespace: 'counts', metadata, body, size: body.length, digest: digestOf(body) });

    test.for(sizes)(
      'a payload of %i bytes takes one request when it is new, two when it is stored again, and one when it is read',
      async (size) => {
        const body = bytesOf({ id: size + index, size });
        expect(await requestsOf(store(), put(body))).toEqual({ put: 1 });
        expect(await requestsOf(store(), put(body))).toEqual({ put: 1, head: 1 });
        const get = async (client: BlobClient) => {
          const { key } = await put(body)(client);
          await fetch(readyUrl(store().service));
          return await requestsOf(store(), (reader) => reader.get({ key, size, digest: digestOf(body) }));
        };
        const client = new BlobClient({ url: store().service.url });
        expect(await get(client)).toEqual({ get: 1 });
        client.close();
      },
    );

    test('a payload over the limit of memory is looked up first, and is not sent again', async () => {
      const body = bytesOf({ id: index, size: 8 * MIB + 1 });
      expect(await requestsOf(store(), put(body))).toEqual({ head: 1, put: 1 });
      expect(await requestsOf(store(), put(body))).toEqual({ head: 1 });
    });
  });

  test('the lease is renewed by the time that passed, not by the operations', async () => {
    const { leaseRequests } = await bed.proxy.observed();
    const renewals = Math.ceil((performance.now() - started) / SHORTEST_RENEWAL);
    expect(leaseRequests.put).toBeLessThanOrEqual(STORES.length * (renewals + 1));
  });
});

function countsBetween(before: Observed, after: Observed): Partial<Record<S3Operation, number>> {
  const count = ({ requests, leaseRequests }: Observed, operation: S3Operation) =>
    (requests[operation] ?? 0) - (leaseRequests[operation] ?? 0);
  const counts = EVERY_OPERATION.map(
    (operation) => [operation, count(after, operation) - count(before, operation)] as const,
  );
  return Object.fromEntries(counts.filter(([, requests]) => requests > 0));
}

const PASSES = 'payload_store_reaper_passes_total';
