import { afterAll, describe } from 'vitest';
import { unlessMissing } from '../../../../e2e/testing/unless-missing.ts';
import { startSeaweedfs } from '../../testing/s3-servers/seaweedfs.ts';
import { describeFailedPut } from '../conformance/failed-put.ts';
import { describePut } from '../conformance/put.ts';
import type { DriverSubject } from '../conformance/subject.ts';
import { describeDriver } from '../conformance.ts';
import { prefixEach, S3_CAPABILITIES } from './test-store.ts';

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

describe.skipIf(server === undefined)('on SeaweedFS, behind prefixes', () => {
  describeDriver(subject);

  describe('every body streaming', () => {
    const streaming = { ...subject, start: prefixEach(server, { inMemoryLimit: 0 }) };
    describePut(streaming);
    describeFailedPut(streaming);
  });
});
