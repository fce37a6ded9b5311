import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { afterAll, describe } from 'vitest';
import { describeFailedPut } from '../../conformance/failed-put.ts';
import { describePut } from '../../conformance/put.ts';
import type { DriverSubject } from '../../conformance/subject.ts';
import { describeDriver } from '../../conformance.ts';
import { describeOddNames } from './odd-names.fixture.ts';
import { bucketEach, S3_CAPABILITIES } from './store.fixture.ts';
import { describeWrongBytes } from './wrong-bytes.fixture.ts';

const server = await unlessMissing(startVersitygw);
afterAll(() => server?.stop());

const subject: DriverSubject = { name: 's3', capabilities: S3_CAPABILITIES, start: bucketEach(server) };

describe.skipIf(server === undefined)('on versitygw, without prefixes', () => {
  describeDriver(subject);
  describeOddNames(server);
  describeWrongBytes(server, { areRefused: true });

  describe('every body streaming', () => {
    const streaming = { ...subject, start: bucketEach(server, { inMemoryLimit: 0 }) };
    describePut(streaming);
    describeFailedPut(streaming);
  });
});
