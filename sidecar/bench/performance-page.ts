import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { writeFigures } from '@largepayload/testing/benchmarks/figures';
import { REPOSITORY } from '@largepayload/testing/documents/markdown';
import { type BarChart, barChart, THEMES, type Theme } from './bar-chart.ts';
import type { TransferRow } from './memory-transfers.ts';
import type { ProcessCosts } from './process-costs.ts';
import type { S3Costs } from './s3-costs.ts';

export interface Results {
  /** all tables, as Markdown */
  readonly tables: string;
  readonly processes: ProcessCosts;
  readonly transfers: readonly TransferRow[];
  readonly s3: S3Costs;
}

/** Puts the tables into docs/performance.md, its pictures into docs/images and two figures into README.md. */
export function writePage({ tables, processes, transfers, s3 }: Results): void {
  writeFigures('docs/performance.md', 'bench', tables);
  writeFigures('README.md', 'bench', headline(processes, transfers));
  writeCharts('throughput', {
    title: 'Throughput of the service, beside a bare server',
    axis: 'MiB/s, 4 clients',
    ours: 'payload-store',
    bound: 'a bare server that only hashes',
    rows: transfers.map(({ what, comparison }) => ({ label: what, ...throughputs(comparison) })),
  });
  writeCharts('throughput-s3', {
    title: `Throughput of the service before S3 (${s3.server}), beside Amazon's SDK`,
    axis: 'MiB/s',
    ours: 'payload-store',
    bound: "a program that uses Amazon's SDK",
    rows: s3.transfers.map(({ what, clients, comparison }) => ({
      label: `${what}, ${clients} client${clients === 1 ? '' : 's'}`,
      ...throughputs(comparison),
    })),
  });
}

function headline({ idle }: ProcessCosts, transfers: readonly TransferRow[]): string {
  const gets = transfers.find(({ what }) => what === 'filesystem GET 1 MiB');
  const idleMemory = idle.find(({ role }) => role === 'standalone, folder')?.memory.all;
  const speed = gets?.comparison.ours.throughput.toFixed(0);
  return `GET of 1 MiB payloads from a folder: ${speed} MiB/s on ${cpus().length} cores. Memory of an idle process: ${idleMemory?.toFixed(0)} MiB ([all figures](docs/performance.md)).`;
}

function throughputs({ ours, bound }: TransferRow['comparison']) {
  return { ours: ours.throughput, bound: bound.throughput };
}

function writeCharts(name: string, chart: BarChart): void {
  for (const theme of Object.keys(THEMES) as Theme[])
    writeFileSync(join(REPOSITORY, 'docs/images', `${name}-${theme}.svg`), barChart(chart, theme));
}
