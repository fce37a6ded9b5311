import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { manifestOn } from '@largepayload/testing/service/manifest';
import type { S3Location } from '../../src/drivers/s3/s3-client.ts';
import { ServerProcess } from '../processes/server-process.ts';
import { PROGRAM, runArguments } from '../processes/servers.ts';

/** The built program, or another build of it, its store at this place. */
export async function serveS3(
  server: S3Server,
  s3: S3Location,
  name: string,
  program = PROGRAM,
): Promise<ServerProcess> {
  const config = join(server.folder, `${name}.yaml`);
  writeFileSync(config, manifestOn({ s3 }, { name }));
  return await ServerProcess.start(
    ...runArguments(config, program),
    '--credentials-dir',
    server.credentialsFolder,
  );
}
