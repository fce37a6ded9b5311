import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import { startSeaweedfs } from '@largepayload/testing/s3-servers/seaweedfs';
import { afterAll, describe } from 'vitest';
import { describeFailedPut } from '../../conformance/failed-put.ts';
import { describePut } from '../../conformance/put.ts';
import { onSeaweedfs } from './seaweedfs.fixture.ts';

const server = await unlessMissing(startSeaweedfs);
afterAll(() => server?.stop());

describe.skipIf(server === undefined)('on SeaweedFS, behind prefixes, every body streaming', () => {
  const streaming = onSeaweedfs(server, { inMemoryLimit: 0 });
  describePut(streaming);
  describeFailedPut(streaming);
});
