import { markdownTable, percent } from '@largepayload/testing/benchmarks/markdown-table';
import type { CodecMemory } from '../codec/codec-memory-costs.ts';
import type { CodecRow } from '../codec/codec-transfers.ts';
import type { DurablePutRow } from '../filesystem/durable-puts.ts';
import type { ReapingCosts } from '../filesystem/reaping.ts';
import type { ProcessCosts } from '../processes/process-costs.ts';

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

export function putTable(rows: readonly DurablePutRow[]): string {
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

function processRows({ idle, peakMemory, sidecar: atRest }: ProcessCosts): string[][] {
  const [folder, bucket, sidecar] = ['standalone, folder', 'gateway, bucket', 'sidecar'].map((role) =>
    idle.find((costs) => costs.role === role),
  );
  return [
    ['start to listening', `${folder?.startTime.toFixed(0)} ms`, '≤ 200 ms'],
    ['memory idle, on a folder', `${folder?.memory.all.toFixed(0)} MiB`, '≤ 64 MiB'],
    ['memory idle, on S3', `${bucket?.memory.all.toFixed(0)} MiB`, '≤ 72 MiB'],
    ['peak memory, 1 GiB in and out', `${peakMemory.toFixed(0)} MiB`, '≤ 192 MiB'],
    ['sidecar, start to listening', `${sidecar?.startTime.toFixed(0)} ms`, '≤ 150 ms'],
    ['sidecar, memory idle', `${sidecar?.memory.all.toFixed(0)} MiB`, '≤ 56 MiB'],
    ['sidecar, memory more, 1 GiB in and out', `${atRest.growth.toFixed(0)} MiB`, '≤ 32 MiB'],
    ['sidecar, wakeups idle', `${atRest.wakeups.toFixed(1)} a second`, '≤ 1'],
    ['sidecar, processor idle', `${atRest.millicores.toFixed(1)} thousandths of a core`, '≤ 1'],
  ];
}

function reapingRow({ some, all }: ReapingCosts): string[] {
  const measured = `${some.toFixed(2)} s : ${all.toFixed(1)} s = 1/${(all / some).toFixed(0)}`;
  return ['deleting 1,000 expired of 100,000, beside deleting all', measured, '≤ 1/20'];
}
