import { join } from 'node:path';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { runLoad } from '../load/load-client.ts';
import { inTurns, type Moved, type Rounds } from '../load/rounds.ts';
import { ServerProcess } from '../processes/server-process.ts';
import type { DirectWork } from './s3-direct.ts';
import { serveS3 } from './s3-service.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const WARM_UP = ['warm-up'];
const ROUNDS = ['1', '2', '3', '4'];
/** of a PUT; the GET of what it put takes as long or less */
const SECONDS = 0.7;

const SIZES = [
  { label: '128 KiB', size: 128 * KIB },
  { label: '1 MiB', size: MIB },
  { label: '16 MiB', size: 16 * MIB },
] as const;
const CLIENTS = [1, 16] as const;

export interface S3Row {
  readonly what: string;
  readonly clients: number;
  readonly goals: {
    /** share of the bound's throughput, at least */
    readonly ratio?: number;
    /** ms beyond the bound's median, at most */
    readonly added?: number;
  };
  readonly rounds: Rounds;
}

/**
 * PUT and GET by the built program before an S3 server, beside a program that uses Amazon's SDK itself. On our side the bytes
 * go one way more, from the load client to the service. All processes share the machine's cores, and the S3 server, which hashes
 * too, takes the most. With 16 payloads at a time the processors limit both sides, with one client it is latency.
 */
export async function s3Transfers(load: string, server: S3Server): Promise<S3Row[]> {
  const location = await server.newBucket();
  const service = await serveS3(server, location, 'transfers');
  const script = join(import.meta.dirname, 's3-direct.ts');
  const direct = await ServerProcess.start(script, server.endpoint, location.bucket);
  const compared = async (verb: DirectWork['verb'], size: number, clients: number, rounds = ROUNDS) =>
    await inTurns(rounds.length, (round) => {
      const seed = `${clients}-${rounds[round]}`;
      const keys = join(server.folder, `transfers-${seed}.json`);
      const order = { verb, clients, size, seed, ...(verb === 'put' ? { seconds: SECONDS } : {}) };
      const ours = () => runLoad(load, service.port, { ...order, keys, once: verb === 'get' });
      return [
        { side: 'ours', server: service, storagePid: server.pid, work: ours },
        { side: 'sdk', server: direct, storagePid: server.pid, work: () => directly(direct, order) },
      ];
    });
  const rows: S3Row[] = [];
  try {
    await compared('put', 128 * KIB, 16, WARM_UP);
    await compared('get', 128 * KIB, 16, WARM_UP);
    for (const { label, size } of SIZES) {
      for (const clients of CLIENTS) {
        const goals = {
          ...(size <= MIB ? { ratio: 0.5 } : {}),
          ...(size === 128 * KIB && clients === 1 ? { added: 3 } : {}),
        };
        const put = await compared('put', size, clients);
        const get = await compared('get', size, clients);
        rows.push({ what: `PUT ${label}`, clients, goals, rounds: put });
        rows.push({ what: `GET ${label}`, clients, goals, rounds: get });
      }
    }
  } finally {
    await direct.stop();
    await service.stop();
  }
  return rows;
}

/** What `s3-direct.ts` in this process did. */
export async function directly(server: ServerProcess, asked: DirectWork): Promise<Moved> {
  const order = { method: 'POST', body: JSON.stringify(asked) };
  const answer = await fetch(`http://127.0.0.1:${server.port}/`, order);
  if (!answer.ok) throw new Error(`s3-direct.ts: ${await answer.text()}`);
  return (await answer.json()) as Moved;
}
