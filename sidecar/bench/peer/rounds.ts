import { median } from '@largepayload/testing/benchmarks/markdown-table';
import { cpuSecondsOf } from '@largepayload/testing/processes/process-facts';
import type { ServerProcess } from '../server-process.ts';
import type { LoadReport } from './load-client.ts';
import type { SideName } from './sides.ts';

const GIB = 1024 ** 3;

/** One side in one round, or the medians of its rounds. CPU in seconds of processor time for each GiB. */
export interface Figures {
  /** MiB a second */
  readonly throughput: number;
  readonly cpu: number;
  /** of the S3 server; 0 where there is none */
  readonly storageCpu: number;
  readonly clientCpu: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The figures of each side, in the order of the rounds. */
export type Rounds = ReadonlyMap<SideName, readonly Figures[]>;

/** What one side does in one round. */
export interface Turn {
  readonly side: SideName;
  readonly server: ServerProcess;
  /** process of the S3 server */
  readonly storagePid?: number | undefined;
  readonly work: () => Promise<LoadReport>;
}

/** Lets the sides take turns, each round in another order, so that a machine whose speed drifts drifts for all. */
export async function inTurns(rounds: number, turnsOf: (round: number) => readonly Turn[]): Promise<Rounds> {
  const all = new Map<SideName, Figures[]>();
  for (let round = 0; round < rounds; round++) {
    const turns = turnsOf(round);
    const first = round % turns.length;
    for (const turn of [...turns.slice(first), ...turns.slice(0, first)])
      all.set(turn.side, [...(all.get(turn.side) ?? []), await measure(turn)]);
  }
  return all;
}

async function measure({ server, storagePid, work }: Turn): Promise<Figures> {
  const storageCpu = () => (storagePid === undefined ? 0 : cpuSecondsOf(storagePid));
  const [before, storageBefore] = [server.cpuSeconds, storageCpu()];
  const { bytes, mibPerSecond, cpuSeconds, p50Ms, p99Ms } = await work();
  const gibibytes = bytes / GIB;
  return {
    throughput: mibPerSecond,
    cpu: (server.cpuSeconds - before) / gibibytes,
    storageCpu: (storageCpu() - storageBefore) / gibibytes,
    clientCpu: cpuSeconds / gibibytes,
    p50Ms,
    p99Ms,
  };
}

export function medians(rounds: readonly Figures[]): Figures {
  const of = (pick: (figures: Figures) => number) => median(rounds.map(pick));
  return {
    throughput: of(({ throughput }) => throughput),
    cpu: of(({ cpu }) => cpu),
    storageCpu: of(({ storageCpu }) => storageCpu),
    clientCpu: of(({ clientCpu }) => clientCpu),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
  };
}

/** Our throughput as a share of the other's: the median of the rounds' ratios. */
export function throughputRatio(ours: readonly Figures[], other: readonly Figures[]): number {
  return median(ours.map(({ throughput }, round) => throughput / (other[round]?.throughput ?? Number.NaN)));
}
