import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import { startMinio } from '@largepayload/testing/s3-servers/minio';
import { afterAll, describe } from 'vitest';
import { describeFailedPut } from '../../conformance/failed-put.ts';
import { describePut } from '../../conformance/put.ts';
import type { DriverSubject } from '../../conformance/subject.ts';
import { describeDriver } from '../../conformance.ts';
import { describeOddNames } from './odd-names.fixture.ts';
import { bucketEach, S3_CAPABILITIES } from './store.fixture.ts';
import { describeWrongBytes } from './wrong-bytes.fixture.ts';

const server = await unlessMissing(startMinio);
afterAll(() => server?.stop());

const subject: DriverSubject = {
  name: 's3',
  capabilities: {
    ...S3_CAPABILITIES,
    putsLetRead: 'MinIO answers a read of a name only after a conditional put of it that is under way',
  },
  start: bucketEach(server),
};

describe.skipIf(server === undefined)('on MinIO, without prefixes', () => {
  describeDriver(subject);
  describeOddNames(server);
  describeWrongBytes(server, { areRefused: true });

  describe('every body streaming', () => {
    const streaming = { ...subject, start: bucketEach(server, { inMemoryLimit: 0 }) };
    describePut(streaming);
    describeFailedPut(streaming);
  });
});
