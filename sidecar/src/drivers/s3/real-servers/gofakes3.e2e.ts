import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import { startGofakes3 } from '@largepayload/testing/s3-servers/gofakes3';
import { afterAll, describe } from 'vitest';
import { describeFailedPut } from '../../conformance/failed-put.ts';
import { describePut } from '../../conformance/put.ts';
import type { DriverSubject } from '../../conformance/subject.ts';
import { describeDriver } from '../../conformance.ts';
import { bucketEach, S3_CAPABILITIES } from './store.fixture.ts';
import { describeWrongBytes } from './wrong-bytes.fixture.ts';

const server = await unlessMissing(startGofakes3);
afterAll(() => server?.stop());

const subject: DriverSubject = {
  name: 's3',
  capabilities: {
    ...S3_CAPABILITIES,
    leadingSlashesAreListed: 'gofakes3 does not list the keys below a leading slash',
  },
  start: bucketEach(server),
};

describe.skipIf(server === undefined)('on gofakes3, without prefixes', () => {
  describeDriver(subject);
  describeWrongBytes(server, { areRefused: false });

  describe('every body streaming', () => {
    const streaming = { ...subject, start: bucketEach(server, { inMemoryLimit: 0 }) };
    describePut(streaming);
    describeFailedPut(streaming);
  });
});
