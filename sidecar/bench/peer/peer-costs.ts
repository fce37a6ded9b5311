import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { startVersitygw, startVersitygwOverTls } from '@largepayload/testing/s3-servers/versitygw';
import { ServerProcess } from '../server-process.ts';
import { manifest, PROGRAM, serveArguments } from '../servers.ts';
import { type LoadOrder, runLoadClient } from './load-client.ts';
import { type BenchPrograms, benchPrograms } from './programs.ts';
import { inTurns, type Rounds, type Turn } from './rounds.ts';
import { type Side, startPeer, startService } from './sides.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const ROUNDS = 3;
const SECONDS = 2;
const WARM_UP_SECONDS = 1;

const SIZES = [
  { label: '128 KiB', size: 128 * KIB, clients: 16, repeated: 128 },
  { label: '1 MiB', size: MIB, clients: 16, repeated: 64 },
  { label: '16 MiB', size: 16 * MIB, clients: 4, repeated: 8 },
] as const;
type Size = (typeof SIZES)[number];

export type Operation = 'PUT' | 'GET first' | 'GET repeated';

export interface PeerRow {
  readonly where: 'S3' | 'S3 over TLS' | 'filesystem';
  readonly operation: Operation;
  /** of a payload, such as `1 MiB` */
  readonly size: string;
  readonly clients: number;
  readonly rounds: Rounds;
}

/**
 * The built service beside a program in Go that does what the peer does (`sidecar/bench/go/peer`), on one S3 server, and on
 * a folder beside the peer's memory.
 * @param baseline another build of the service, measured in the same rounds
 * @throws MissingProgramError without Go
 */
export async function peerCosts(baseline?: string): Promise<PeerRow[]> {
  const programs = await benchPrograms();
  const folder = mkdtempSync(join(tmpdir(), 'payload-store-peer-'));
  try {
    return [
      ...(await onS3('S3', startVersitygw, programs, folder, baseline)),
      ...(await onS3('S3 over TLS', startVersitygwOverTls, programs, folder, baseline)),
      ...(await onFolder(programs, folder, baseline)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function onS3(
  where: PeerRow['where'],
  start: (...options: string[]) => Promise<S3Server>,
  programs: BenchPrograms,
  folder: string,
  baseline: string | undefined,
): Promise<PeerRow[]> {
  const server = await start('--keep-alive');
  const sides: Side[] = [];
  try {
    sides.push(await startService('ours', PROGRAM, server));
    sides.push(await startPeer(programs.peer, server));
    if (baseline !== undefined) sides.push(await startService('before', baseline, server));
    const rows: PeerRow[] = [];
    for (const size of SIZES)
      rows.push(...(await transfers({ where, server, programs, folder }, sides, size)));
    return rows;
  } finally {
    for (const side of sides) await side.stop();
    await server.stop();
  }
}

interface Bed {
  readonly where: PeerRow['where'];
  readonly server: S3Server;
  readonly programs: BenchPrograms;
  /** for the files with keys */
  readonly folder: string;
}

async function transfers(bed: Bed, sides: readonly Side[], { label, size, clients, repeated }: Size) {
  const { where, server, programs, folder } = bed;
  const orderOf = (side: Side, round: string): Omit<LoadOrder, 'verb'> => {
    const seed = `${side.name}-${round}`;
    return { clients, size, seconds: SECONDS, seed, keys: join(folder, `${seed}.json`) };
  };
  const put = (side: Side, order: Omit<LoadOrder, 'verb'>) =>
    runLoadClient(programs.load, side.writer.port, { verb: 'put', ...order });
  const get = (side: Side, order: Omit<LoadOrder, 'verb'>) =>
    runLoadClient(programs.load, side.reader.port, { verb: 'get', ...order });
  const rounds = async (of: 'writer' | 'reader', work: (side: Side, round: number) => Turn['work']) =>
    await inTurns(ROUNDS, (round) =>
      sides.map((side) => ({
        side: side.name,
        server: side[of],
        storagePid: server.pid,
        work: work(side, round),
      })),
    );

  for (const side of sides) {
    const order = { ...orderOf(side, 'warm-up'), seconds: WARM_UP_SECONDS };
    await put(side, order);
    await get(side, { ...order, once: true });
    await get(side, order);
  }
  const puts = await rounds('writer', (side, round) => () => put(side, orderOf(side, `${round}`)));
  const firstGets = await rounds(
    'reader',
    (side, round) => () => get(side, { ...orderOf(side, `${round}`), seconds: 0, once: true }),
  );
  for (const side of sides) keepSome(orderOf(side, '0').keys, orderOf(side, 'some').keys, repeated);
  const gets = await rounds('reader', (side) => () => {
    return get(side, { ...orderOf(side, '0'), keys: orderOf(side, 'some').keys });
  });
  for (const side of sides)
    for (const round of ['warm-up', ...Array(ROUNDS).keys()])
      removeStored(server, side.bucket, orderOf(side, `${round}`).keys);
  const row = { where, size: label, clients };
  return [
    { ...row, operation: 'PUT', rounds: puts },
    { ...row, operation: 'GET first', rounds: firstGets },
    { ...row, operation: 'GET repeated', rounds: gets },
  ] satisfies PeerRow[];
}

/** What the load client writes. */
type StoredKeys = readonly { readonly Index: number; readonly Key: string }[];

function keysIn(file: string): StoredKeys {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function keepSome(from: string, to: string, count: number): void {
  writeFileSync(to, JSON.stringify(keysIn(from).slice(0, count)));
}

/** Behind the back of versitygw, which keeps an object in a file: so gibibytes need not be written to the disk. */
function removeStored(server: S3Server, bucket: string, keys: string): void {
  for (const { Key } of keysIn(keys)) rmSync(join(server.folder, 'data', bucket, Key), { force: true });
}

/** GET of files, beside the peer's GET from its memory. */
async function onFolder(
  programs: BenchPrograms,
  folder: string,
  baseline: string | undefined,
): Promise<PeerRow[]> {
  const config = join(folder, 'store.yaml');
  writeFileSync(config, manifest('{ttl: Forever}'));
  const serve = (program: string, name: string) =>
    ServerProcess.start(...serveArguments(config, join(folder, name), program));
  const servers: [Turn['side'], ServerProcess][] = [];
  try {
    servers.push(['ours', await serve(PROGRAM, 'ours')]);
    servers.push(['peer', await ServerProcess.startProgram(programs.peer, ['-driver', 'memory'])]);
    if (baseline !== undefined) servers.push(['before', await serve(baseline, 'before')]);
    const rows: PeerRow[] = [];
    for (const { label, size, clients, repeated } of SIZES.filter(({ size }) => size <= MIB)) {
      const orderOf = (name: string) => {
        const keys = join(folder, `${name}-files.json`);
        return { clients, size, seconds: SECONDS, seed: `${name}-files`, keys };
      };
      const get = async (name: string, server: ServerProcess, seconds: number) =>
        await runLoadClient(programs.load, server.port, { verb: 'get', ...orderOf(name), seconds });
      for (const [name, server] of servers) {
        await runLoadClient(programs.load, server.port, { verb: 'put', ...orderOf(name), count: repeated });
        await get(name, server, WARM_UP_SECONDS);
      }
      const rounds = await inTurns(ROUNDS, () =>
        servers.map(([side, server]) => ({ side, server, work: () => get(side, server, SECONDS) })),
      );
      rows.push({ where: 'filesystem', operation: 'GET repeated', size: label, clients, rounds });
    }
    return rows;
  } finally {
    for (const [, server] of servers) await server.stop();
  }
}
