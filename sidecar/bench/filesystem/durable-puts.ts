import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { link, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '@largepayload/testing/benchmarks/markdown-table';
import { type LoadReport, runLoad } from '../load/load-client.ts';
import { ServerProcess } from '../processes/server-process.ts';
import { serveArguments } from '../processes/servers.ts';

const SIZE = 128 * 1024;
const WARM_UP_PUTS = 1_000;
const ROUNDS = 6;

export interface DurablePutRow {
  readonly clients: number;
  /** PUTs a second */
  readonly ours: number;
  readonly bound: number;
  readonly medianLatency: number;
  readonly ratio: number;
}

/**
 * Durable PUTs of 128 KiB beside what the disk gives a program that writes, fdatasyncs and links and does nothing else.
 * @param load the load client
 */
export async function durablePuts(load: string, config: string, folder: string): Promise<DurablePutRow[]> {
  const rows: DurablePutRow[] = [];
  const service = await ServerProcess.start(...serveArguments(config, folder));
  try {
    for (const [clients, count] of [
      [1, 200],
      [32, 1_600],
    ] as const) {
      const put = (seed: string, count: number) => {
        const order = {
          verb: 'put',
          clients,
          size: SIZE,
          seed: `${seed}-${clients}`,
          keys: '',
          count,
        } as const;
        return runLoad(load, service.port, order);
      };
      await put('warm-up', WARM_UP_PUTS);
      const rounds: { ours: LoadReport; bound: number }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const bound = await rawDurableWrites(join(folder, `.raw-${clients}-${round}`), clients, count);
        rounds.push({ ours: await put(`durable-${round}`, count), bound });
      }
      rows.push({
        clients,
        ours: median(rounds.map(({ ours }) => count / ours.seconds)),
        bound: median(rounds.map(({ bound }) => count / bound)),
        medianLatency: median(rounds.map(({ ours }) => ours.p50Ms)),
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
  const bytes = Buffer.alloc(SIZE, 'large payload ');
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
