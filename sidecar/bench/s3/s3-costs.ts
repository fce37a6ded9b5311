import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { type S3Requests, s3Requests } from './s3-requests.ts';
import { type S3Row, s3Transfers } from './s3-transfers.ts';

const KIB = 1024;
/** A payload that is verified in memory, and a payload that is streamed. */
const REQUEST_SIZES = [128 * KIB, 16 * KIB * KIB];

export interface S3Costs {
  /** names the S3 server */
  readonly server: string;
  readonly transfers: readonly S3Row[];
  readonly requests: readonly S3Requests[];
}

/**
 * What the service costs before an S3 server that runs on the same machine, its data in a folder that goes with it.
 * @param load the load client
 */
export async function measureS3(load: string): Promise<S3Costs> {
  const server = await startVersitygw('--keep-alive');
  try {
    const requests = await s3Requests(load, server, REQUEST_SIZES);
    return { server: server.name, requests, transfers: await s3Transfers(load, server) };
  } finally {
    await server.stop();
  }
}
