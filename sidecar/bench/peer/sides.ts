import { ACCESS_KEY, type S3Server, SECRET_KEY } from '@largepayload/testing/s3-servers/s3-server';
import type { SideName } from '../load/rounds.ts';
import { ServerProcess } from '../processes/server-process.ts';
import { serveS3 } from '../s3/s3-service.ts';

/**
 * One side of a comparison. Payloads are put at `writer` and got at `reader`. Ours are two processes: the reader has not seen the
 * bytes of a PUT, so its first GET of a payload hashes them.
 */
export interface Side {
  readonly name: SideName;
  readonly writer: ServerProcess;
  readonly reader: ServerProcess;
  readonly bucket: string;
  stop(): Promise<void>;
}

/** @param program the built `payload-store.mjs` */
export async function startService(name: SideName, program: string, server: S3Server): Promise<Side> {
  const s3 = await server.newBucket();
  const writer = await serveS3(server, s3, name, program);
  const reader = await serveS3(server, s3, name, program).catch(async (error) => {
    await writer.stop();
    throw error;
  });
  const stop = async () => void (await Promise.all([writer.stop(), reader.stop()]));
  return { name, writer, reader, bucket: s3.bucket, stop };
}

export async function startPeer(program: string, server: S3Server): Promise<Side> {
  const { bucket } = await server.newBucket();
  const peer = await ServerProcess.startProgram(program, ['-driver', 's3', '-bucket', bucket], {
    HOME: server.folder,
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    ...(server.authorityFile === undefined ? {} : { AWS_CA_BUNDLE: server.authorityFile }),
  });
  return { name: 'peer', writer: peer, reader: peer, bucket, stop: () => peer.stop() };
}
