import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { startSeaweedfs } from '@largepayload/testing/s3-servers/seaweedfs';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import type { S3Location } from '../src/drivers/s3/s3-client.ts';
import { ServerProcess } from './server-process.ts';
import { runArguments } from './servers.ts';

/** A real S3 server on loopback: of the two that the tests know the faster one, unless Go is missing. */
export async function startS3Server(): Promise<S3Server> {
  try {
    return await startVersitygw('--keep-alive');
  } catch (error) {
    if (!(error instanceof MissingProgramError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return await startSeaweedfs();
  }
}

/** The built program, its store at this place. */
export async function serveS3(server: S3Server, s3: S3Location, name: string): Promise<ServerProcess> {
  const config = join(server.folder, `${name}.yaml`);
  writeFileSync(config, manifestOn({ s3 }, { name }));
  return await ServerProcess.start(...runArguments(config), '--credentials-dir', server.credentialsFolder);
}
