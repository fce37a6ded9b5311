import { randomBytes } from 'node:crypto';
import { BlobClient, digestOf, metadataFromRecord } from '@largepayload/codec';
import type { StoreBed } from '../testing/store-bed.ts';
import { slowly } from './slowly.ts';

/** What `BlobClient.get` takes; it verifies what it gets. */
export interface StoredPayload {
  readonly key: string;
  readonly size: number;
  readonly digest: string;
}

/** Stores bytes that nobody else has. */
export async function putPayload(
  client: BlobClient,
  size: number,
  namespace = 'orders',
): Promise<StoredPayload> {
  const bytes = randomBytes(size);
  const digest = digestOf(bytes);
  const metadata = metadataFromRecord({ encoding: Buffer.from('binary/plain') });
  const { key } = await client.put({ namespace, digest, size, metadata, body: bytes });
  return { key, size, digest };
}

/** Does something with a client that nobody has used before. */
export async function withClient<T>(url: string, use: (client: BlobClient) => Promise<T>): Promise<T> {
  const client = new BlobClient({ url });
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** Where a store's gateway answers: nodes learn of its pods a moment after the store is Ready. */
export async function answeringUrl(bed: StoreBed, store: string): Promise<string> {
  const url = await bed.url(store);
  await slowly(() => withClient(url, (client) => putPayload(client, 1_000)).catch(() => undefined));
  return url;
}
