import { markdownTable } from '@largepayload/testing/benchmarks/markdown-table';
import type { ManyClientsRow } from './many-clients.ts';

/** The goals for latency are those of 256 clients. */
export function manyClientsTable(rows: readonly ManyClientsRow[]): string {
  return markdownTable(
    ['1 MiB, clients at once', 'MiB/s', 'p50 ms', 'p99 ms', 'goal', '503', 'peak MiB', 'goal', 'CPU s/GiB'],
    rows.map(({ storage, verb, clients, load, refused, peakMemory, cpu }) => [
      `${storage}, ${verb.toUpperCase()}, ${clients}`,
      load.mibPerSecond.toFixed(0),
      load.p50Ms.toFixed(0),
      load.p99Ms.toFixed(0),
      clients === 256 ? `≤ ${verb === 'put' ? '1,500' : '1,000'}` : '',
      String(refused),
      peakMemory.toFixed(0),
      '≤ 256',
      cpu.toFixed(2),
    ]),
  );
}
