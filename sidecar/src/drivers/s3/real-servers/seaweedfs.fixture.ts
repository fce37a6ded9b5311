import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import type { DriverSubject } from '../../conformance/subject.ts';
import type { ObjectStoreOptions } from '../../object-store/object-store-driver.ts';
import { prefixEach, S3_CAPABILITIES } from './store.fixture.ts';

export const onSeaweedfs = (
  server: S3Server | undefined,
  options: Partial<ObjectStoreOptions> = {},
): DriverSubject => ({
  name: 's3',
  capabilities: {
    ...S3_CAPABILITIES,
    emptyFoldersVanish: 'SeaweedFS lists a folder for minutes after its last object has gone',
  },
  start: prefixEach(server, options),
});
