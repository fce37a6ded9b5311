import { setTimeout as sleep } from 'node:timers/promises';
import { type Comparison, compare, exchanging } from './comparison.ts';
import { getsOf, keysOf, payloadSet, putsOf, runLoad } from './load.ts';
import { ServerProcess } from './server-process.ts';
import { BOUND_SERVER, MEMORY_SERVICE } from './servers.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
export const ROUNDS = 6;
export const CLIENTS = 4;

/** What one side moves in one round, 256 MiB of each size. */
export const PAYLOADS = [
  { label: '128 KiB', size: 128 * KIB, count: 2_048 },
  { label: '1 MiB', size: MIB, count: 256 },
  { label: '16 MiB', size: 16 * MIB, count: 16 },
] as const;

/** After this long nothing put before is in a window that still takes puts (TTL 40 s: 10 s for a PUT, windows of 5 s), ms. */
const WINDOWS_CLOSED = 17_000;

export interface TransferRow {
  readonly what: string;
  readonly goal: number;
  readonly comparison: Comparison;
}

/**
 * PUT and GET over the memory driver against the bare bound. Each size is first put once and removed, so that both sides
 * write into memory that was used before: fresh memory costs a virtual machine many times the copy.
 */
export async function memoryTransfers(): Promise<TransferRow[]> {
  const bound = await ServerProcess.start(BOUND_SERVER);
  const service = await ServerProcess.start('--conditions=largepayload-source', MEMORY_SERVICE);
  const rows: TransferRow[] = [];
  try {
    for (const { label, size, count } of PAYLOADS) {
      await warmUp(service, bound, size, count);
      const keys: string[][] = [];
      const put = await compare(ROUNDS, CLIENTS, size * count, (index) => {
        const puts = putsOf(payloadSet(size, count, `${index}-${size}`));
        const ours = exchanging(service, puts, (result) => keys.push(keysOf(result)));
        return { ours, bound: exchanging(bound, puts) };
      });
      const get = await compare(ROUNDS, CLIENTS, size * count, (index) => ({
        ours: exchanging(service, getsOf(keys[index] ?? [], size)),
        bound: exchanging(bound, getsOf(Array(count).fill('/memory'), size)),
      }));
      rows.push({ what: `memory PUT ${label}`, goal: 0.8, comparison: put });
      rows.push({ what: `memory GET ${label}`, goal: 0.8, comparison: get });
    }
  } finally {
    await service.stop();
    await bound.stop();
  }
  return rows;
}

async function warmUp(
  service: ServerProcess,
  bound: ServerProcess,
  size: number,
  count: number,
): Promise<void> {
  const puts = putsOf(payloadSet(size, count * ROUNDS, `warm-up-${size}`));
  const stored = await runLoad(service.port, CLIENTS, puts);
  await runLoad(service.port, CLIENTS, getsOf(keysOf(stored), size));
  await runLoad(bound.port, CLIENTS, puts);
  await runLoad(bound.port, CLIENTS, getsOf(Array(puts.length).fill('/memory'), size));
  await sleep(WINDOWS_CLOSED);
  await service.cleanup('1s');
}
