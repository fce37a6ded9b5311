import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import { startMoto } from '@largepayload/testing/s3-servers/moto';
import { afterAll, describe } from 'vitest';
import { describeFailedPut } from '../../conformance/failed-put.ts';
import { describePut } from '../../conformance/put.ts';
import type { DriverSubject } from '../../conformance/subject.ts';
import { describeDriver } from '../../conformance.ts';
import { bucketEach, S3_CAPABILITIES } from './store.fixture.ts';
import { describeWrongBytes } from './wrong-bytes.fixture.ts';

const server = await unlessMissing(startMoto);
afterAll(() => server?.stop());

const subject: DriverSubject = {
  name: 's3',
  capabilities: {
    ...S3_CAPABILITIES,
    digestsAreKept: 'moto does not tell the checksum of an object on HEAD',
  },
  start: bucketEach(server),
};

describe.skipIf(server === undefined)('on moto, without prefixes', () => {
  describeDriver(subject);
  describeWrongBytes(server, { areRefused: false });

  describe('every body streaming', () => {
    const streaming = { ...subject, start: bucketEach(server, { inMemoryLimit: 0 }) };
    describePut(streaming);
    describeFailedPut(streaming);
  });
});
