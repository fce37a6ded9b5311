import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { startSeaweedfs } from '@largepayload/testing/s3-servers/seaweedfs';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { MEMORY_LIMIT, peakMemoryOfGibibyte } from '@largepayload/testing/service/huge-payload';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { realProgram } from '@largepayload/testing/service/real-program';
import { describe, expect, test } from 'vitest';

const { serve } = realProgram();

describe.each<[string, () => Promise<S3Server>]>([
  ['versitygw', startVersitygw],
  ['SeaweedFS', startSeaweedfs],
])('on %s', (_name, start) => {
  test('a payload of 1 GiB passes through a bounded memory', async ({ skip }) => {
    const server = await unlessMissing(start);
    if (server === undefined) return skip('the server is missing; the line above tells how to get it');
    try {
      const manifest = manifestOn({ s3: await server.newBucket() });
      await using service = await serve({ manifest, args: ['--credentials-dir', server.credentialsFolder] });
      expect(await peakMemoryOfGibibyte(service)).toBeLessThanOrEqual(MEMORY_LIMIT);
    } finally {
      await server.stop();
    }
  }, 180_000);
});
