import { join } from 'node:path';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { runLoad } from '../load/load-client.ts';
import { inTurns, type Rounds, type Turn } from '../load/rounds.ts';
import { ServerProcess } from '../processes/server-process.ts';
import type { DirectWork } from '../s3/s3-direct.ts';
import { directly } from '../s3/s3-transfers.ts';
import type { Chain, Chains } from './chains.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const WARM_UP = ['warm-up'];
const ROUNDS = ['1', '2', '3'];
/** of a PUT; the GET of what it put takes as long or less */
const SECONDS = 0.7;
const SIZES = [
  { label: '128 KiB', size: 128 * KIB },
  { label: '1 MiB', size: MIB },
] as const;
const CLIENTS = [1, 16] as const;

/** Payloads that fit into the cache, and are got again and again. */
const CACHED = { count: 32, size: MIB, seconds: 1 };

export interface SidecarRow {
  readonly operation: 'PUT' | 'GET' | 'GET cached';
  readonly size: (typeof SIZES)[number]['label'];
  readonly clients: number;
  /** `ours` by TLS with tokens, `plain` without, and `sdk` */
  readonly rounds: Rounds;
}

/** A chain that stores, and one that reads what it has not seen: its gateway hashes all bytes. */
interface Ways {
  readonly put: Chain;
  readonly get: Chain;
}

/**
 * PUT and first GET through a sidecar and a gateway to S3, beside a program that uses Amazon's SDK itself; and GET of payloads
 * that the sidecar has in its cache.
 */
export async function sidecarTransfers(
  load: string,
  server: S3Server,
  chains: Chains,
): Promise<SidecarRow[]> {
  const s3 = await server.newBucket();
  const direct = await ServerProcess.start(
    join(import.meta.dirname, '../s3/s3-direct.ts'),
    server.endpoint,
    (await server.newBucket()).bucket,
  );
  try {
    const waysOf = async (link: 'tls' | 'plain'): Promise<Ways> => ({
      put: await chains.start(link, s3),
      get: await chains.start(link, s3),
    });
    const [ours, plain] = [await waysOf('tls'), await waysOf('plain')];
    const bed = { load, server, direct, ours, plain };
    await compared(bed, 'put', 128 * KIB, 16, WARM_UP);
    await compared(bed, 'get', 128 * KIB, 16, WARM_UP);
    const rows: SidecarRow[] = [];
    for (const { label, size } of SIZES) {
      for (const clients of CLIENTS) {
        const row = { size: label, clients };
        rows.push({ ...row, operation: 'PUT', rounds: await compared(bed, 'put', size, clients, ROUNDS) });
        rows.push({ ...row, operation: 'GET', rounds: await compared(bed, 'get', size, clients, ROUNDS) });
      }
    }
    const cached = await chains.start('tls', s3);
    for (const clients of CLIENTS) {
      const rounds = await cachedGets(bed, cached, clients);
      rows.push({ size: '1 MiB', clients, operation: 'GET cached', rounds });
    }
    return rows;
  } finally {
    await direct.stop();
  }
}

interface Bed {
  readonly load: string;
  readonly server: S3Server;
  readonly direct: ServerProcess;
  readonly ours: Ways;
  readonly plain: Ways;
}

async function compared(
  { load, server, direct, ...ways }: Bed,
  verb: DirectWork['verb'],
  size: number,
  clients: number,
  rounds: readonly string[],
): Promise<Rounds> {
  return await inTurns(rounds.length, (round) => {
    const order = {
      ...{ verb, clients, size, seed: `${clients}-${rounds[round]}` },
      ...(verb === 'put' ? { seconds: SECONDS } : {}),
    };
    const through = (side: 'ours' | 'plain'): Turn => {
      const seed = `${side}-${order.seed}`;
      const keys = join(server.folder, `sidecar-${size}-${seed}.json`);
      const { sidecar, gateway } = ways[side][verb];
      const work = () => runLoad(load, sidecar.port, { ...order, seed, keys, once: verb === 'get' });
      return { side, server: sidecar, gateway, storagePid: server.pid, work };
    };
    const sdk = () => directly(direct, order);
    return [
      through('ours'),
      { side: 'sdk', server: direct, storagePid: server.pid, work: sdk },
      through('plain'),
    ];
  });
}

async function cachedGets(
  { load, server, direct }: Bed,
  { sidecar, gateway }: Chain,
  clients: number,
): Promise<Rounds> {
  const { count, size, seconds } = CACHED;
  const order = { clients, size, seed: 'cached', keys: join(server.folder, 'cached.json') };
  await runLoad(load, sidecar.port, { ...order, verb: 'put', count });
  await runLoad(load, sidecar.port, { ...order, verb: 'get', seconds });
  const seed = `cached-${clients}`;
  await directly(direct, { verb: 'put', size, clients, seconds, seed });
  return await inTurns(ROUNDS.length, () => [
    {
      ...{ side: 'ours', server: sidecar, gateway, storagePid: server.pid },
      work: () => runLoad(load, sidecar.port, { ...order, verb: 'get', seconds }),
    },
    {
      ...{ side: 'sdk', server: direct, storagePid: server.pid },
      work: () => directly(direct, { verb: 'get', size, clients, seed }),
    },
  ]);
}
