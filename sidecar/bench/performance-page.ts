import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type BarChart, barChart, THEMES, type Theme } from './bar-chart.ts';
import type { TransferRow } from './memory-transfers.ts';
import type { ProcessCosts } from './process-costs.ts';
import type { S3Costs } from './s3-costs.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const [BEGIN, END] = ['<!-- bench: begin -->', '<!-- bench: end -->'];

export interface Results {
  /** all tables, as Markdown */
  readonly tables: string;
  readonly processes: ProcessCosts;
  readonly transfers: readonly TransferRow[];
  readonly s3: S3Costs;
}

/** Puts the tables into docs/performance.md, its pictures into docs/images and two figures into README.md. */
export function writePage({ tables, processes, transfers, s3 }: Results): void {
  putBetweenMarks('docs/performance.md', tables);
  putBetweenMarks('README.md', headline(processes, transfers));
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

function headline({ idleMemory }: ProcessCosts, transfers: readonly TransferRow[]): string {
  const gets = transfers.find(({ what }) => what === 'filesystem GET 1 MiB');
  const speed = gets?.comparison.ours.throughput.toFixed(0);
  return `GET of 1 MiB payloads from a folder: ${speed} MiB/s on ${cpus().length} cores. Memory of an idle process: ${idleMemory.toFixed(0)} MiB ([all figures](docs/performance.md)).`;
}

function putBetweenMarks(name: string, text: string): void {
  const file = join(REPOSITORY, name);
  const page = readFileSync(file, 'utf8');
  const [head, tail] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (head < 0 || tail < head) throw new Error(`${name} has no ${BEGIN} and ${END}`);
  writeFileSync(file, `${page.slice(0, head + BEGIN.length)}\n${text}\n${page.slice(tail)}`);
}

function throughputs({ ours, bound }: TransferRow['comparison']) {
  return { ours: ours.throughput, bound: bound.throughput };
}

function writeCharts(name: string, chart: BarChart): void {
  for (const theme of Object.keys(THEMES) as Theme[])
    writeFileSync(join(REPOSITORY, 'docs/images', `${name}-${theme}.svg`), barChart(chart, theme));
}
