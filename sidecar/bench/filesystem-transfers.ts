import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { link, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '@largepayload/testing/benchmarks/markdown-table';
import { objectPath } from '../src/drivers/filesystem/object-paths.ts';
import { compare, exchanging } from './comparison.ts';
import { getsOf, keysOf, type LoadResult, payloadSet, putsOf, runLoad } from './load.ts';
import { CLIENTS, PAYLOADS, ROUNDS, type TransferRow } from './memory-transfers.ts';
import { ServerProcess } from './server-process.ts';
import { BOUND_SERVER, serveArguments } from './servers.ts';

const DURABLE_SIZE = 128 * 1024;
const WARM_UP_PUTS = 1_000;

/** GET of files by the built program against a bare server that reads and hashes the same files. */
export async function filesystemGets(config: string, folder: string): Promise<TransferRow[]> {
  const bound = await ServerProcess.start(BOUND_SERVER);
  const service = await ServerProcess.start(...serveArguments(config, folder));
  const rows: TransferRow[] = [];
  try {
    for (const { label, size, count } of PAYLOADS) {
      const puts = putsOf(payloadSet(size, count, `file-${size}`));
      const keys = keysOf(await runLoad(service.port, CLIENTS, puts));
      const paths = keys.map((key) => objectPath(folder, key));
      const comparison = await compare(ROUNDS, CLIENTS, size * count, () => ({
        ours: exchanging(service, getsOf(keys, size)),
        bound: exchanging(bound, getsOf(paths, size)),
      }));
      rows.push({ what: `filesystem GET ${label}`, goal: 0.7, comparison });
    }
  } finally {
    await service.stop();
    await bound.stop();
  }
  return rows;
}

export interface DurablePutRow {
  readonly clients: number;
  /** PUTs a second */
  readonly ours: number;
  readonly bound: number;
  readonly medianLatency: number;
  readonly ratio: number;
}

/** Durable PUTs of 128 KiB beside what the disk gives a program that writes, fdatasyncs and links and does nothing else. */
export async function durablePuts(config: string, folder: string): Promise<DurablePutRow[]> {
  const rows: DurablePutRow[] = [];
  const service = await ServerProcess.start(...serveArguments(config, folder));
  try {
    for (const [clients, count] of [
      [1, 200],
      [32, 1_600],
    ] as const) {
      const warmUp = payloadSet(DURABLE_SIZE, WARM_UP_PUTS, `warm-up-${clients}`);
      await runLoad(service.port, clients, putsOf(warmUp));
      const rounds: { ours: LoadResult; bound: number }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const puts = putsOf(payloadSet(DURABLE_SIZE, count, `durable-${clients}-${round}`));
        const bound = await rawDurableWrites(join(folder, `.raw-${clients}-${round}`), clients, count);
        rounds.push({ ours: await runLoad(service.port, clients, puts), bound });
      }
      rows.push({
        clients,
        ours: median(rounds.map(({ ours }) => count / ours.seconds)),
        bound: median(rounds.map(({ bound }) => count / bound)),
        medianLatency: median(rounds.flatMap(({ ours }) => ours.latencies)),
        ratio: median(rounds.map(({ ours, bound }) => bound / ours.seconds)),
      });
    }
  } finally {
    await service.stop();
  }
  return rows;
}

/** Seconds for `count` files, each hashed, written, fdatasynced, linked into place and its temporary name removed. */
async function rawDurableWrites(folder: string, clients: number, count: number): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const bytes = Buffer.alloc(DURABLE_SIZE, 'large payload ');
  const queue = Array.from({ length: count }, (_, index) => index).values();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      for (const index of queue) {
        const temporary = join(folder, `${index}.temporary`);
        createHash('sha256').update(bytes).digest();
        const file = await open(temporary, 'wx');
        await file.write(bytes);
        await file.datasync();
        await file.close();
        await link(temporary, join(folder, String(index)));
        await unlink(temporary);
      }
    }),
  );
  return (performance.now() - started) / 1_000;
}
