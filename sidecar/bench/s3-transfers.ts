import { join } from 'node:path';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { type Comparison, type Contender, compare, exchanging, type Load } from './comparison.ts';
import { getsOf, keysOf, payloadSet, putsOf } from './load.ts';
import type { DirectWork } from './s3-direct.ts';
import { serveS3 } from './s3-service.ts';
import { ServerProcess } from './server-process.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const ROUNDS = 4;

/** What one side moves in one round, by one client and by 16 at a time: about half a second's work where that is enough. */
const CASES = [
  { label: '128 KiB', size: 128 * KIB, counts: { 1: 100, 16: 400 } },
  { label: '1 MiB', size: MIB, counts: { 1: 32, 16: 80 } },
  { label: '16 MiB', size: 16 * MIB, counts: { 1: 4, 16: 16 } },
] as const;
const CLIENTS = [1, 16] as const;
const WARM_UP = { name: 'warm-up', size: 128 * KIB, count: 400, clients: 16 };

export interface S3Row {
  readonly what: string;
  readonly clients: number;
  readonly goals: {
    /** share of the bound's throughput, at least */
    readonly ratio?: number;
    /** ms beyond the bound's median, at most */
    readonly added?: number;
  };
  readonly comparison: Comparison;
}

/**
 * PUT and GET by the built program before an S3 server, beside a program that uses Amazon's SDK itself. The bytes make one
 * more way on ours, from the load generator to the service. All processes share the machine's cores, the S3 server, which
 * hashes too, taking the most: with 16 at a time the processors are the limit of both sides, by one client it is latency.
 */
export async function s3Transfers(server: S3Server): Promise<S3Row[]> {
  const location = await server.newBucket();
  const service = await serveS3(server, location, 'transfers');
  const script = join(import.meta.dirname, 's3-direct.ts');
  const direct = await ServerProcess.start(script, server.endpoint, location.bucket);
  const rows: S3Row[] = [];
  try {
    await compareBoth({ service, direct }, WARM_UP, 1);
    for (const { label, size, counts } of CASES) {
      for (const clients of CLIENTS) {
        const amount = { name: label, size, count: counts[clients], clients };
        const { put, get } = await compareBoth({ service, direct }, amount, ROUNDS);
        const goals = {
          ...(size <= MIB ? { ratio: 0.5 } : {}),
          ...(size === 128 * KIB && clients === 1 ? { added: 3 } : {}),
        };
        rows.push({ what: `PUT ${label}`, clients, goals, comparison: put });
        rows.push({ what: `GET ${label}`, clients, goals, comparison: get });
      }
    }
  } finally {
    await direct.stop();
    await service.stop();
  }
  return rows;
}

interface Sides {
  readonly service: ServerProcess;
  readonly direct: ServerProcess;
}

interface Amount {
  readonly name: string;
  /** bytes of one payload */
  readonly size: number;
  readonly count: number;
  readonly clients: number;
}

/** Each round puts payloads of its own, and gets them later. */
async function compareBoth(
  { service, direct }: Sides,
  { name, size, count, clients }: Amount,
  rounds: number,
) {
  const keys: string[][] = [];
  const seedOf = (round: number) => `${name}-${clients}-${round}`;
  const directly = (verb: DirectWork['verb'], round: number) =>
    contender(direct, { verb, seed: seedOf(round), size, count, clients });
  const put = await compare(rounds, clients, size * count, (round) => {
    const puts = putsOf(payloadSet(size, count, seedOf(round)));
    return {
      ours: exchanging(service, puts, (result) => keys.push(keysOf(result))),
      bound: directly('put', round),
    };
  });
  const get = await compare(rounds, clients, size * count, (round) => ({
    ours: exchanging(service, getsOf(keys[round] ?? [], size)),
    bound: directly('get', round),
  }));
  return { put, get };
}

function contender(server: ServerProcess, asked: DirectWork): Contender {
  const work = async () => {
    const order = { method: 'POST', body: JSON.stringify(asked) };
    const answer = await fetch(`http://127.0.0.1:${server.port}/`, order);
    if (!answer.ok) throw new Error(`s3-direct.ts: ${await answer.text()}`);
    return (await answer.json()) as Load;
  };
  return { server, work };
}
