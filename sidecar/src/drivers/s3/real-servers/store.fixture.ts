import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { factsOf, type StartedStore } from '../../conformance/subject.ts';
import { ObjectKeys } from '../../object-store/object-keys.ts';
import { ObjectStoreDriver, type ObjectStoreOptions } from '../../object-store/object-store-driver.ts';
import { AwsSdkClient } from '../aws-sdk-client.ts';
import type { S3Location } from '../s3-client.ts';

export interface S3Store extends StartedStore {
  readonly driver: ObjectStoreDriver;
  readonly location: S3Location;
}

/** What S3 itself cannot do, whichever server. */
export const S3_CAPABILITIES = {
  damage: true,
  leftovers: 'what S3 has of an object before it is whole cannot be listed',
  openResources: true,
  deletedNamesAreExact: 'S3 does not tell whether what it deleted was there',
  emptyFoldersVanish: true,
  digestsAreKept: true,
  leadingSlashesAreListed: true,
  putsLetRead: true,
} as const;

/** A driver on a place in a server's bucket. What it stores goes with the server. */
export function storeIn(
  server: S3Server,
  location: S3Location,
  options: Partial<ObjectStoreOptions> = {},
): S3Store {
  const client = new AwsSdkClient(location, server.credentialsFolder);
  const driver = new ObjectStoreDriver(client, { ...location, ...options });
  const keys = new ObjectKeys(location.prefix);
  return {
    driver,
    location,
    damage: async (name, bytes) => {
      const checksum = Buffer.from(factsOf(bytes).digest.slice('sha256:'.length), 'hex').toString('base64');
      const object = { Bucket: location.bucket, Key: keys.keyOf(name), ChecksumSHA256: checksum };
      await server.client.send(new PutObjectCommand({ ...object, Body: bytes }));
    },
    openResources: async () => {
      // A connection is handed back to the pool a turn after its answer was read.
      await sleep(50);
      return client.connectionsInUse();
    },
    stop: () => driver.close(),
  };
}

/** Makes stores that hold no objects, each in a bucket of its own. */
export function bucketEach(server: S3Server | undefined, options: Partial<ObjectStoreOptions> = {}) {
  return async () => storeIn(running(server), await running(server).newBucket(), options);
}

/** Makes stores that hold no objects, each behind a prefix of its own in one bucket. */
export function prefixEach(server: S3Server | undefined, options: Partial<ObjectStoreOptions> = {}) {
  let bucket: Promise<S3Location> | undefined;
  let count = 0;
  return async () => {
    bucket ??= running(server).newBucket();
    count += 1;
    return storeIn(running(server), { ...(await bucket), prefix: `test-${count}/of the suite/` }, options);
  };
}

function running(server: S3Server | undefined): S3Server {
  if (server === undefined) throw new Error('the server is missing');
  return server;
}
