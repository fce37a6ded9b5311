import { ListObjectVersionsCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { allow, createUser } from '@largepayload/testing/s3-servers/versitygw-users';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { never, someBytes, someName, TestStore } from '../../conformance/subject.ts';
import { ObjectStoreDriver } from '../../object-store/object-store-driver.ts';
import { AwsSdkClient } from '../aws-sdk-client.ts';
import type { S3Location } from '../s3-client.ts';
import { startS3Driver } from '../start-s3-driver.ts';
import { GATEWAY_POLICY, REAPER_POLICY } from '../storage-document.fixture.ts';
import { storeIn } from './store.fixture.ts';

const server = (await unlessMissing(startVersitygw)) as S3Server;
afterAll(() => server?.stop());

describe.skipIf(server === undefined)('the rights of docs/s3.md suffice, and give no more', () => {
  const name = someName('by another');
  const bytes = someBytes(1_000);
  let location: S3Location;
  const drivers: ObjectStoreDriver[] = [];
  const storeOf = async (user: string): Promise<TestStore> => {
    const driver = new ObjectStoreDriver(
      new AwsSdkClient(location, await createUser(server, user)),
      location,
    );
    drivers.push(driver);
    return new TestStore({ driver, stop: () => driver.close() });
  };
  const denied = (action: string) => ({
    failure: 'denied',
    message: expect.stringContaining(`access denied for ${action} on`),
  });

  let gateway: TestStore;
  let reaper: TestStore;
  beforeAll(async () => {
    location = { ...(await server.newBucket()), prefix: 'orders/' };
    gateway = await storeOf('gateway');
    reaper = await storeOf('reaper');
    await allow(server, location.bucket, { gateway: GATEWAY_POLICY, reaper: REAPER_POLICY });
    const owner = new TestStore(storeIn(server, location));
    await owner.put(name, bytes);
    await owner.stop();
  });
  afterAll(() => Promise.all(drivers.map((driver) => driver.close())));

  test('the gateway puts, gets and lists', async () => {
    expect(await gateway.put(someName(1), bytes)).toBe('created');
    expect(await gateway.put(someName(1), bytes)).toBe('existed');
    expect(await gateway.put(someName(1), someBytes(10))).toBe('created');
    expect(await gateway.put(someName(2), someBytes(9 * 1024 * 1024))).toBe('created');
    expect(await gateway.holds(name, bytes)).toBe(true);
    expect(await gateway.get(someName('absent'))).toBeUndefined();
    expect(await gateway.folders('expires-')).toHaveLength(1);
    await gateway.driver.currentTime(never());
  });

  test('and does not delete', async () => {
    const outcome = await gateway.driver.delete([name], never()).catch((error) => error);
    expect(outcome.failed?.[0]?.error ?? outcome).toMatchObject(denied('s3:DeleteObject'));
    expect(await gateway.holds(name, bytes)).toBe(true);
  });

  test('the reaper lists, gets and deletes, and does not put', async () => {
    await expect(reaper.put(someName('new'), bytes)).rejects.toMatchObject(denied('s3:PutObject'));
    expect(await reaper.holds(name, bytes)).toBe(true);
    await reaper.driver.currentTime(never());
    const names = await reaper.names();
    expect(names).toContain(name);
    expect((await reaper.driver.delete(names, never())).failed).toEqual([]);
    expect(await reaper.names()).toEqual([]);
  });

  test('a start without rights fails with the missing right', async () => {
    await expect(startS3Driver(location, await createUser(server, 'nobody'))).rejects.toMatchObject(
      denied('s3:ListBucket'),
    );
  });
});

describe.skipIf(server === undefined)('a bucket that keeps versions', () => {
  test('is reported at the start, and the report is right: a deleted object is still there', async () => {
    const location = await server.newBucket();
    const { bucket: Bucket } = location;
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    const { notices, driver: before } = await startS3Driver(location, server.credentialsFolder);
    await before.close();
    expect(notices).toEqual([]);
    await server.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const started = await startS3Driver(location, server.credentialsFolder);
    expect(started.notices).toEqual([expect.stringMatching(/keeps versions/)]);
    const store = new TestStore({ driver: started.driver, stop: () => started.driver.close() });
    await store.put(someName(1), someBytes(100));
    await store.driver.delete([someName(1)], never());
    expect(await store.get(someName(1))).toBeUndefined();
    expect(await store.put(someName(1), someBytes(100))).toBe('created');
    const { Versions } = await server.client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions).toHaveLength(2);
    await store.stop();
  });
});
