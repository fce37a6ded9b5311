import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { startSeaweedfs } from '@largepayload/testing/s3-servers/seaweedfs';
import { afterAll, describe, test } from 'vitest';
import { tryWrite } from '../../../storage-records/write-check/write-trial.ts';
import { describeDriver } from '../../conformance.ts';
import { describeOddNames } from './odd-names.fixture.ts';
import { onSeaweedfs } from './seaweedfs.fixture.ts';
import { storeIn } from './store.fixture.ts';
import { describeWrongBytes } from './wrong-bytes.fixture.ts';

const server = await unlessMissing(startSeaweedfs);
afterAll(() => server?.stop());

/** As many drivers on one place. */
async function manyOnOnePlace(count: number) {
  const running = server as S3Server;
  const place = await running.newBucket();
  return Array.from({ length: count }, () => storeIn(running, place));
}

describe.skipIf(server === undefined)('on SeaweedFS, behind prefixes', () => {
  describeDriver(onSeaweedfs(server));
  describeOddNames(server);
  describeWrongBytes(server, { areRefused: true });

  test('gateways that try to write at once do not disturb each other', async () => {
    const stores = await manyOnOnePlace(8);
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(stores.map(({ driver }) => tryWrite(driver)));
    }
    await Promise.all(stores.map((store) => store.stop()));
  });
});
