import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { digestOf } from '@largepayload/codec';

/** A store's part of a bucket, read without the service and the proxy. */
export interface StoredObjects {
  readonly client: S3Client;
  readonly bucket: string;
  /** ends in a slash */
  readonly prefix: string;
}

/** Names of the records that the service keeps beside payloads. */
export const OWN: readonly string[] = ['store.json', 'lease.json', 'clock.json', 'write-check'];

/** Names of all objects, relative to the store. */
export async function namesIn({ client, bucket, prefix }: StoredObjects): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
    for (const { Key = '' } of page.Contents ?? []) names.add(Key.slice(prefix.length));
  }
  return names;
}

/** The name of the object that a key stands for. */
export function nameOfKey(key: string): string {
  return key.replace(/^\//, '');
}

/** A sentence for each of these objects whose bytes are not those that its name promises. */
export async function damagedAmong(objects: StoredObjects, names: Iterable<string>): Promise<string[]> {
  const damaged: string[] = [];
  for (const name of names) {
    const digest = /\/(sha256:[0-9a-f]{64})\/sha256:[0-9a-f]{64}$/.exec(name)?.[1];
    const found = await digestOfObject(objects, name);
    if (found !== digest) damaged.push(`${name}: ${found ?? 'is not there'}`);
  }
  return damaged;
}

async function digestOfObject({ client, bucket, prefix }: StoredObjects, name: string) {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: prefix + name }));
    return Body && digestOf(await Body.transformToByteArray());
  } catch (error) {
    if ((error as Error).name === 'NoSuchKey') return undefined;
    throw error;
  }
}
