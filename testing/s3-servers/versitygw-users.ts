import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { goProgram } from '../programs/go-program.ts';
import { ACCESS_KEY, type S3Server, SECRET_KEY, writeCredentials } from './s3-server.ts';
import { VERSITYGW } from './versitygw.ts';

/** The bucket of the documented policies. */
const DOCUMENTED_BUCKET = 'example-payloads';

interface Policy {
  readonly Statement: readonly { readonly Resource: string }[];
}

/** Makes a user without rights. @returns the folder with its credentials, for `--credentials-dir` */
export async function createUser(
  server: Pick<S3Server, 'endpoint' | 'folder'>,
  name: string,
): Promise<string> {
  const gateway = await goProgram(VERSITYGW, console.info);
  const access = ['--access', ACCESS_KEY, '--secret', SECRET_KEY, '--endpoint-url', server.endpoint];
  const user = ['--access', name, '--secret', `${name}-secret`, '--role', 'user'];
  await promisify(execFile)(gateway, ['admin', ...access, 'create-user', ...user]);
  return writeCredentials(join(server.folder, name), name, `${name}-secret`);
}

/** Gives users the rights of the documented policies in a bucket of a test. */
export async function allow(
  server: Pick<S3Server, 'client'>,
  bucket: string,
  policies: Readonly<Record<string, string>>,
): Promise<void> {
  const Statement = Object.entries(policies).flatMap(([user, policy]) =>
    (JSON.parse(policy) as Policy).Statement.map((statement) => ({
      ...statement,
      Principal: { AWS: [user] },
      Resource: statement.Resource.replace(DOCUMENTED_BUCKET, bucket),
    })),
  );
  const policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await server.client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy }));
}
