import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '@largepayload/testing/documents/markdown';
import { medians, type SideName } from '../load/rounds.ts';
import type { PeerRow } from '../peer/row.ts';
import { type BarChart, barChart, THEMES, type Theme } from './bar-chart.ts';

/** Throughput beside the peer. */
export function writeThroughputChart(rows: readonly PeerRow[]): void {
  const throughput = (row: PeerRow, side: SideName) => medians(row.rounds.get(side)).throughput;
  writeCharts('throughput', {
    title: 'Throughput of the service beside a program in Go that does what the peer does',
    axis: 'MiB/s: more is better',
    digits: 0,
    legend: ['payload-store', 'the peer'],
    rows: rows.map((row) => ({
      ...namesOf(row),
      values: [throughput(row, 'ours'), throughput(row, 'peer')],
    })),
  });
}

/** Processor time before and after, beside the peer's. */
export function writeCpuChart(rows: readonly PeerRow[]): void {
  const cpu = (row: PeerRow, side: SideName) => medians(row.rounds.get(side)).cpu;
  writeCharts('processor-time', {
    title: "Processor time of the service, before and after, beside the peer's",
    axis: 'seconds of processor time for each GiB: less is better',
    digits: 1,
    legend: ['payload-store', 'the peer', 'payload-store before'],
    rows: rows.map((row) => ({
      ...namesOf(row),
      values: [cpu(row, 'ours'), cpu(row, 'peer'), cpu(row, 'before')],
    })),
  });
}

function namesOf({ where, operation, size }: PeerRow) {
  return { group: where, label: `${operation} ${size}` };
}

function writeCharts(name: string, chart: BarChart): void {
  for (const theme of Object.keys(THEMES) as Theme[])
    writeFileSync(join(REPOSITORY, 'docs/images', `${name}-${theme}.svg`), barChart(chart, theme));
}
