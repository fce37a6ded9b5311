import { randomBytes } from 'node:crypto';
import { BlobClient, digestOf, metadataFromRecord } from '@largepayload/codec';

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
