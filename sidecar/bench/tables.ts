import { markdownTable, percent } from '@largepayload/testing/benchmarks/markdown-table';
import type { CodecMemory } from './codec-memory-costs.ts';
import type { CodecRow } from './codec-transfers.ts';
import type { durablePuts } from './filesystem-transfers.ts';
import type { TransferRow } from './memory-transfers.ts';
import type { ProcessCosts } from './process-costs.ts';
import type { ReapingCosts } from './reaping.ts';

export function codecTable(rows: readonly CodecRow[]): string {
  return markdownTable(
    ['codec, 64 payloads of 1 MiB', 'one call ms', 'one after another ms', 'times as fast', 'goal'],
    rows.map(({ what, goal, together, oneByOne, ratio }) => [
      what,
      together.toFixed(0),
      oneByOne.toFixed(0),
      ratio.toFixed(1),
      `≥ ${goal}`,
    ]),
  );
}

export function codecCostTable(small: number, memory: readonly CodecMemory[]): string {
  return markdownTable(
    ['codec, other figures', 'measured', 'goal'],
    [
      ['1,000 payloads under the threshold, encode and decode', `${small.toFixed(1)} ms`, '≤ 5 ms'],
      ...memory.map(({ what, beyondPayloads }) => [
        `peak memory beside the payloads, encoding ${what}`,
        `${beyondPayloads.toFixed(0)} MiB`,
        '≤ 16 MiB',
      ]),
    ],
  );
}

export function transferTable(rows: readonly TransferRow[]): string {
  return markdownTable(
    ['4 clients', 'ours MiB/s', 'bound MiB/s', 'ratio', 'goal', 'ours CPU s/GiB', 'bound CPU s/GiB'],
    rows.map(({ what, goal, comparison: { ours, bound, ratio } }) => [
      what,
      ours.throughput.toFixed(0),
      bound.throughput.toFixed(0),
      percent(ratio),
      `≥ ${percent(goal)}`,
      ours.cpuPerGibibyte.toFixed(2),
      bound.cpuPerGibibyte.toFixed(2),
    ]),
  );
}

export function putTable(rows: Awaited<ReturnType<typeof durablePuts>>): string {
  return markdownTable(
    ['durable PUTs of 128 KiB', 'ours PUT/s', 'write + fdatasync + link /s', 'ratio', 'our median'],
    rows.map(({ clients, ours, bound, ratio, medianLatency }) => [
      `${clients} client${clients === 1 ? '' : 's'}`,
      ours.toFixed(0),
      bound.toFixed(0),
      percent(ratio),
      `${medianLatency.toFixed(1)} ms`,
    ]),
  );
}

export function otherTable(costs: ProcessCosts | undefined, reaping: ReapingCosts | undefined): string {
  return markdownTable(
    ['service, other figures', 'measured', 'goal'],
    [
      ...(costs === undefined ? [] : processRows(costs)),
      ...(reaping === undefined ? [] : [reapingRow(reaping)]),
    ],
  );
}

function processRows({ idle, peakMemory }: ProcessCosts): string[][] {
  const [folder, bucket] = ['standalone, folder', 'gateway, bucket'].map((role) =>
    idle.find((costs) => costs.role === role),
  );
  return [
    ['start to listening', `${folder?.startTime.toFixed(0)} ms`, '≤ 200 ms'],
    ['memory idle, on a folder', `${folder?.memory.all.toFixed(0)} MiB`, '≤ 64 MiB'],
    ['memory idle, on S3', `${bucket?.memory.all.toFixed(0)} MiB`, '≤ 72 MiB'],
    ['peak memory, 1 GiB in and out', `${peakMemory.toFixed(0)} MiB`, '≤ 192 MiB'],
  ];
}

function reapingRow({ some, all }: ReapingCosts): string[] {
  const measured = `${some.toFixed(2)} s : ${all.toFixed(1)} s = 1/${(all / some).toFixed(0)}`;
  return ['deleting 1,000 expired of 100,000, beside deleting all', measured, '≤ 1/20'];
}
