import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { expect, test } from 'vitest';
import { factsOf, never, someBytes } from '../../conformance/subject.ts';
import { AwsSdkClient } from '../aws-sdk-client.ts';
import type { S3Location } from '../s3-client.ts';

const NAMES = [
  'expires-20400101T000000Z-30d/orders/sha256:0',
  'with space+plus~tilde',
  "!'()*&=?;,@$#%2F",
  '[]{}|^`<>"',
  'ä€😀',
];

/** The server verifies each signature; what it keeps under which key is read back by Amazon's SDK. */
export function describeOddNames(server: S3Server | undefined): void {
  let place: Promise<S3Location> | undefined;
  test.each(NAMES)('an object %s is written, looked at and read under this key', async (key) => {
    const { client: sdk, credentialsFolder, newBucket } = server as S3Server;
    place ??= newBucket();
    const location = await place;
    const { bucket: Bucket } = location;
    const client = new AwsSdkClient(location, credentialsFolder);
    const bytes = someBytes(1_000);
    const facts = factsOf(bytes);
    try {
      const create = { ifAbsent: true, signal: never() };
      expect(await client.put(key, [bytes], facts, create)).toBe('stored');
      expect(await client.put(key, [bytes], facts, create)).toBe('refused');
      expect(await client.put(key, [bytes], facts, { ...create, ifAbsent: false })).toBe('stored');
      expect(await client.head(key, never())).toEqual(facts);
      const { object } = await client.get(key, never());
      expect(object?.size).toBe(bytes.length);
      await object?.body.close();
      const { Contents = [] } = await sdk.send(new ListObjectsV2Command({ Bucket, Prefix: key.slice(0, 1) }));
      expect(Contents.map(({ Key }) => Key)).toEqual([key]);
      const { Body } = await sdk.send(new GetObjectCommand({ Bucket, Key: key }));
      expect(bytes.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
    } finally {
      client.close();
    }
  });
}
