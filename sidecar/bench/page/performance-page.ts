import { cpus } from 'node:os';
import { writeFigures } from '@largepayload/testing/benchmarks/figures';
import { medians } from '../load/rounds.ts';
import type { PeerRow } from '../peer/row.ts';
import type { ProcessCosts } from '../processes/process-costs.ts';
import { perCoreTable } from '../scale/per-core.ts';
import { writeCpuChart, writeThroughputChart } from './charts.ts';

export interface Results {
  /** the tables of docs/performance.md, as Markdown */
  readonly tables: string;
  /** the table of docs/idle-memory.md */
  readonly idle: string;
  readonly processes: ProcessCosts;
  readonly peer: readonly PeerRow[];
}

/** Writes docs/performance.md with its picture, docs/idle-memory.md, and the figures of docs/scale.md and README.md that follow from them. */
export function writePages({ tables, idle, processes, peer }: Results): void {
  writeFigures('docs/performance.md', 'bench', tables);
  writeFigures('docs/idle-memory.md', 'bench-idle', idle);
  writeFigures('docs/scale.md', 'scale-core', perCoreTable());
  writeFigures('README.md', 'bench', headline(processes, peer));
  writeThroughputChart(peer);
}

/** Puts what changed since another build into docs/performance.md. @param table as Markdown */
export function writeBeforeAfter(table: string, peer: readonly PeerRow[]): void {
  writeFigures('docs/performance.md', 'bench-before-after', table);
  writeCpuChart(peer);
}

/** Puts what a sidecar and a gateway cost into docs/sidecar-performance.md. @param tables as Markdown */
export function writeSidecar(tables: string): void {
  writeFigures('docs/sidecar-performance.md', 'bench-sidecar', tables);
}

function headline({ idle }: ProcessCosts, peer: readonly PeerRow[]): string {
  const gets = peer.find(({ where, size }) => where === 'filesystem' && size === '1 MiB');
  const idleMemory = idle.find(({ role }) => role === 'standalone, folder')?.memory.all;
  const speed = medians(gets?.rounds.get('ours')).throughput.toFixed(0);
  return `GET of 1 MiB payloads from a folder: ${speed} MiB/s on ${cpus().length} cores. Memory of an idle process: ${idleMemory?.toFixed(0)} MiB ([all figures](docs/performance.md)).`;
}
