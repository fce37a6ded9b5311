import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Location } from '@largepayload/sidecar/drivers/s3/s3-client';
import { Program } from '../processes/program.ts';

export const ACCESS_KEY = 'test-access-key';
export const SECRET_KEY = 'test-secret-key-0123456789';

const START_LIMIT = 60_000;

/** An S3 server on a free port of loopback, whose data lie in a folder that is removed with it. */
export interface S3Server {
  readonly name: string;
  readonly pid: number;
  readonly endpoint: string;
  /** file with the PEM certificate of the authority, where the endpoint is https */
  readonly authorityFile?: string | undefined;
  /** the server's folder, where tests may put files too */
  readonly folder: string;
  /** holds the server's credentials, as a Secret is mounted */
  readonly credentialsFolder: string;
  /** An S3 client with the server's credentials. */
  readonly client: S3Client;
  /** Makes a bucket, and returns its location as a manifest has it. */
  newBucket(): Promise<S3Location>;
  stop(): Promise<void>;
}

export interface ServerCommand {
  readonly name: string;
  readonly endpoint: string;
  /** file with the PEM certificate of the authority, where the endpoint is https */
  readonly authorityFile?: string | undefined;
  readonly command: string;
  readonly args: (folder: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** removes files that the server leaves outside its folder */
  readonly cleanUp?: () => void;
}

/** Starts it and waits until it takes objects. @throws Error with the end of its log */
export async function startServer(server: ServerCommand): Promise<S3Server> {
  const { name, endpoint, authorityFile, command, args, env, cleanUp = () => {} } = server;
  const caBundle = authorityFile === undefined ? undefined : readFileSync(authorityFile, 'utf8');
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  const logFile = join(folder, 'server.log');
  const { program } = await Program.start(
    { name, command, args: args(folder), env: { ...process.env, ...env }, logFile },
    () => true,
  );
  const client = clientOf(endpoint, ACCESS_KEY, SECRET_KEY, caBundle);
  const stop = async () => {
    client.destroy();
    await program.stop('SIGTERM', 2_000);
    rmSync(folder, { recursive: true, force: true });
    cleanUp();
  };
  try {
    await untilItTakesObjects(client, program);
  } catch (error) {
    await stop();
    throw error;
  }
  let buckets = 0;
  const newBucket = async () => {
    buckets += 1;
    const bucket = `payloads-${buckets}`;
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    const location = { bucket, endpoint, prefix: '', forcePathStyle: true };
    return caBundle === undefined ? location : { ...location, caBundle };
  };
  const credentialsFolder = writeCredentials(join(folder, 'credentials'));
  return {
    name,
    pid: program.pid,
    endpoint,
    authorityFile,
    folder,
    credentialsFolder,
    client,
    newBucket,
    stop,
  };
}

/** Makes the folder and files that `--credentials-dir` takes. */
export function writeCredentials(
  folder: string,
  accessKeyId = ACCESS_KEY,
  secretAccessKey = SECRET_KEY,
): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'AWS_ACCESS_KEY_ID'), accessKeyId);
  writeFileSync(join(folder, 'AWS_SECRET_ACCESS_KEY'), `${secretAccessKey}\n`);
  return folder;
}

/** A client with the server's own credentials, or others. */
export function clientOf(
  endpoint: string,
  accessKeyId = ACCESS_KEY,
  secretAccessKey = SECRET_KEY,
  caBundle?: string,
): S3Client {
  return new S3Client({
    endpoint,
    credentials: { accessKeyId, secretAccessKey },
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    ...(caBundle === undefined ? {} : { requestHandler: { httpsAgent: new Agent({ ca: caBundle }) } }),
  });
}

async function untilItTakesObjects(client: S3Client, program: Program): Promise<void> {
  const started = performance.now();
  for (;;) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: 'is-it-ready' })).catch(unlessItIsThere);
      await client.send(new PutObjectCommand({ Bucket: 'is-it-ready', Key: 'yes', Body: 'yes' }));
      return;
    } catch (cause) {
      if (program.isRunning && performance.now() - started < START_LIMIT) await sleep(100);
      else throw new Error(`${program.name} takes no objects${program.logTail(20)}`, { cause });
    }
  }
}

function unlessItIsThere(error: Error): void {
  if (error.name !== 'BucketAlreadyOwnedByYou' && error.name !== 'BucketAlreadyExists') throw error;
}
