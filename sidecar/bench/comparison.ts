import { median } from '@largepayload/testing/benchmarks/markdown-table';
import { type Exchange, type LoadResult, runLoad } from './load.ts';
import type { ServerProcess } from './server-process.ts';

const MIB = 1024 * 1024;

/** What a round took. */
export interface Load {
  readonly seconds: number;
  /** ms of each exchange */
  readonly latencies: readonly number[];
}

/** One side of a comparison: a process, and how it is made to work. */
export interface Contender {
  readonly server: ServerProcess;
  readonly work: (clients: number) => Promise<Load>;
}

/** A server, and what is sent to it. */
export function exchanging(
  server: ServerProcess,
  exchanges: readonly Exchange[],
  onResult: (result: LoadResult) => void = () => {},
): Contender {
  const work = async (clients: number) => {
    const result = await runLoad(server.port, clients, exchanges);
    onResult(result);
    return result;
  };
  return { server, work };
}

export interface Measured {
  /** MiB a second, median of the rounds */
  readonly throughput: number;
  /** seconds of processor time for each GiB, over all rounds */
  readonly cpuPerGibibyte: number;
  /** ms, median of all exchanges */
  readonly medianLatency: number;
}

export interface Comparison {
  readonly ours: Measured;
  readonly bound: Measured;
  /** our throughput as a share of the bound's: the median of the ratios of rounds that ran one after the other */
  readonly ratio: number;
}

/**
 * Lets both sides take turns, so that a machine whose speed drifts drifts for both.
 * @param bytes moved by one side in one round
 */
export async function compare(
  rounds: number,
  clients: number,
  bytes: number,
  round: (index: number) => { ours: Contender; bound: Contender },
): Promise<Comparison> {
  const runs: { ours: Run; bound: Run }[] = [];
  for (let index = 0; index < rounds; index++) {
    const { ours, bound } = round(index);
    const [first, second] = index % 2 === 0 ? [bound, ours] : [ours, bound];
    const [firstRun, secondRun] = [await runOnce(first, clients), await runOnce(second, clients)];
    runs.push(index % 2 === 0 ? { ours: secondRun, bound: firstRun } : { ours: firstRun, bound: secondRun });
  }
  return {
    ours: summarize(
      runs.map(({ ours }) => ours),
      bytes,
    ),
    bound: summarize(
      runs.map(({ bound }) => bound),
      bytes,
    ),
    ratio: median(runs.map(({ ours, bound }) => bound.seconds / ours.seconds)),
  };
}

interface Run extends Load {
  readonly cpuSeconds: number;
}

async function runOnce({ server, work }: Contender, clients: number): Promise<Run> {
  const before = server.cpuSeconds;
  const { seconds, latencies } = await work(clients);
  return { seconds, latencies, cpuSeconds: server.cpuSeconds - before };
}

function summarize(runs: readonly Run[], bytes: number): Measured {
  const cpuSeconds = runs.reduce((sum, run) => sum + run.cpuSeconds, 0);
  return {
    throughput: median(runs.map(({ seconds }) => bytes / MIB / seconds)),
    cpuPerGibibyte: cpuSeconds / ((bytes * runs.length) / (1024 * MIB)),
    medianLatency: median(runs.flatMap(({ latencies }) => latencies)),
  };
}
