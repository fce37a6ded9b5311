import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { startSeaweedfs } from '@largepayload/testing/s3-servers/seaweedfs';
import { afterAll, describe, test } from 'vitest';
import { tryWrite } from '../../../storage-records/write-check/write-trial.ts';
import { describeFailedPut } from '../../conformance/failed-put.ts';
import { describePut } from '../../conformance/put.ts';
import type { DriverSubject } from '../../conformance/subject.ts';
import { describeDriver } from '../../conformance.ts';
import { describeOddNames } from './odd-names.fixture.ts';
import { prefixEach, S3_CAPABILITIES, storeIn } from './store.fixture.ts';
import { describeWrongBytes } from './wrong-bytes.fixture.ts';

const server = await unlessMissing(startSeaweedfs);
afterAll(() => server?.stop());

const subject: DriverSubject = {
  name: 's3',
  capabilities: {
    ...S3_CAPABILITIES,
    emptyFoldersVanish: 'SeaweedFS lists a folder for minutes after its last object has gone',
  },
  start: prefixEach(server),
};

/** As many drivers on one place. */
async function manyOnOnePlace(count: number) {
  const running = server as S3Server;
  const place = await running.newBucket();
  return Array.from({ length: count }, () => storeIn(running, place));
}

describe.skipIf(server === undefined)('on SeaweedFS, behind prefixes', () => {
  describeDriver(subject);
  describeOddNames(server);
  describeWrongBytes(server, { areRefused: true });

  test('gateways that try to write at once do not disturb each other', async () => {
    const stores = await manyOnOnePlace(8);
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(stores.map(({ driver }) => tryWrite(driver)));
    }
    await Promise.all(stores.map((store) => store.stop()));
  });

  describe('every body streaming', () => {
    const streaming = { ...subject, start: prefixEach(server, { inMemoryLimit: 0 }) };
    describePut(streaming);
    describeFailedPut(streaming);
  });
});
