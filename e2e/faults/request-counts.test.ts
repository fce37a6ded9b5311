import { BlobClient, digestOf, metadataFromRecord } from '@largepayload/codec';
import { startSeaweedfs } from '@largepayload/testing/s3-servers/seaweedfs';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { eventually } from '@largepayload/testing/waiting/eventual-value';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesOf } from './content.fixture.ts';
import { readyUrl } from './recovery.fixture.ts';
import { type RunningStore, StoreBed } from './store.fixture.ts';

const STORES = [
  { name: 'expiring', ttl: '30d' },
  { name: 'forever', ttl: 'Forever' },
];
const MIB = 1024 * 1024;
const SERVERS = [
  // It refuses without reading, and closes the connection, which may lose the refusal of a larger body.
  { server: 'versitygw', start: startVersitygw, sizes: [200_000, MIB, 8 * MIB] },
  { server: 'seaweedfs', start: startSeaweedfs, sizes: [200_000, MIB, 8 * MIB] },
];

describe.each(SERVERS)('requests to $server, without faults', ({ start, sizes }) => {
  let bed: StoreBed;
  const stores: RunningStore[] = [];

  beforeAll(async () => {
    bed = await StoreBed.open(start, 1);
    for (const options of STORES) stores.push(await bed.startStore(options));
    const [expiring] = stores;
    // Its first pass lists; the next one is an hour away.
    await eventually(async () => (expiring && (await expiring.service.sum(PASSES))) || undefined);
  });
  afterAll(() => bed?.close());

  /** The requests that it takes, by operation. The clock is compared just before, which holds for 30 s. */
  async function requestsOf({ service }: RunningStore, operation: (client: BlobClient) => Promise<unknown>) {
    await fetch(readyUrl(service));
    const client = new BlobClient({ url: service.url });
    const before = await bed.proxy.observed();
    await operation(client);
    const { requests, faults } = await bed.proxy.observed();
    client.close();
    expect(faults).toEqual({});
    const counts = Object.entries(requests).map(
      ([name, count]) => [name, count - ((before.requests as Record<string, number>)[name] ?? 0)] as const,
    );
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  describe.each([0, 1])('store %i', (index) => {
    const store = () => stores[index] as RunningStore;
    const metadata = metadataFromRecord({});
    const put = (body: Buffer) => (client: BlobClient) =>
      client.put({ namespace: 'counts', metadata, body, size: body.length, digest: digestOf(body) });

    test.for(sizes)('a payload of %i bytes: new 1, again 2, read 1', async (size) => {
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
    });

    test('one over the limit of memory is looked for first, and not sent again', async () => {
      const body = bytesOf({ id: index, size: 8 * MIB + 1 });
      expect(await requestsOf(store(), put(body))).toEqual({ head: 1, put: 1 });
      expect(await requestsOf(store(), put(body))).toEqual({ head: 1 });
    });
  });
});

const PASSES = 'payload_store_reaper_passes_total';
