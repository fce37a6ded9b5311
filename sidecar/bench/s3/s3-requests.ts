import { join } from 'node:path';
import type { Observed } from '@largepayload/testing/fault-proxy/observations';
import { RunningProxy } from '@largepayload/testing/fault-proxy/running-proxy';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { runLoad } from '../load/load-client.ts';
import { serveS3 } from './s3-service.ts';

const OPERATIONS = 10;
const SEED = 1;

export interface S3Requests {
  /** bytes of each payload */
  readonly size: number;
  /** what one operation asks of the storage, such as `1 HEAD + 1 PUT` */
  readonly newPut: string;
  readonly hit: string;
  readonly get: string;
}

/** The requests to the storage for one operation, counted by a proxy before it. */
export async function s3Requests(
  load: string,
  server: S3Server,
  sizes: readonly number[],
): Promise<S3Requests[]> {
  const proxy = await RunningProxy.start(server.endpoint, SEED);
  const location = { ...(await server.newBucket()), endpoint: proxy.endpoint };
  const service = await serveS3(server, location, 'requests').catch(async (error) => {
    await proxy.stop();
    throw error;
  });
  const counted = async (verb: 'put' | 'get', size: number) => {
    // The clock is compared now, and not while requests are counted.
    await fetch(`http://127.0.0.1:${service.port}/v2/health/head`, { method: 'HEAD' });
    const before = await proxy.observed();
    const keys = join(server.folder, `requests-${size}.json`);
    await runLoad(load, service.port, { verb, clients: 1, size, seed: 'requests', keys, count: OPERATIONS });
    return perOperation(before, await proxy.observed());
  };
  const requests: S3Requests[] = [];
  try {
    for (const size of sizes) {
      const newPut = await counted('put', size);
      const hit = await counted('put', size);
      requests.push({ size, newPut, hit, get: await counted('get', size) });
    }
  } finally {
    await service.stop();
    await proxy.stop();
  }
  return requests;
}

function perOperation({ requests: before }: Observed, { requests: after }: Observed): string {
  const counts = Object.entries(after).map(
    ([name, count]) => [name, count - (before[name as keyof typeof before] ?? 0)] as const,
  );
  const asked = counts.filter(([, count]) => count > 0);
  return asked.map(([name, count]) => `${count / OPERATIONS} ${name.toUpperCase()}`).join(' + ');
}
