import { median } from '@largepayload/testing/benchmarks/markdown-table';
import { cpuSecondsOf } from '@largepayload/testing/processes/process-facts';
import type { ServerProcess } from '../processes/server-process.ts';
import type { LoadReport } from './load-client.ts';

const GIB = 1024 ** 3;

/**
 * `before`: another build of the service. `sdk`: a program of a few lines that uses Amazon's SDK. `plain`: ours without TLS and
 * tokens between sidecar and gateway.
 */
export type SideName = 'ours' | 'peer' | 'before' | 'sdk' | 'plain';

/** One side in one round, or the medians of its rounds. CPU in seconds of processor time for each GiB. */
export interface Figures {
  /** MiB a second */
  readonly throughput: number;
  readonly cpu: number;
  /** of the gateway behind the sidecar; 0 where there is none */
  readonly gatewayCpu: number;
  /** of the S3 server; 0 where there is none */
  readonly storageCpu: number;
  readonly clientCpu: number;
  /** V8's collections of the whole heap, for each GiB */
  readonly collections: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The figures of each side, in the order of the rounds. */
export type Rounds = ReadonlyMap<SideName, readonly Figures[]>;

export type Moved = Pick<LoadReport, 'bytes' | 'mibPerSecond' | 'p50Ms' | 'p99Ms' | 'cpuSeconds'>;

/** The work of one side in one round. */
export interface Turn {
  readonly side: SideName;
  readonly server: ServerProcess;
  /** to which the server forwards */
  readonly gateway?: ServerProcess | undefined;
  /** process of the S3 server */
  readonly storagePid?: number | undefined;
  readonly work: () => Promise<Moved>;
}

/** Lets the sides take turns, each round in another order, so that a machine whose speed changes is fair to all. */
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

async function measure({ server, gateway, storagePid, work }: Turn): Promise<Figures> {
  const gatewayCpu = () => gateway?.cpuSeconds ?? 0;
  const storageCpu = () => (storagePid === undefined ? 0 : cpuSecondsOf(storagePid));
  const collectionsBefore = await server.fullCollections();
  const [before, gatewayBefore, storageBefore] = [server.cpuSeconds, gatewayCpu(), storageCpu()];
  const { bytes, mibPerSecond, cpuSeconds, p50Ms, p99Ms } = await work();
  const [cpu, behind] = [server.cpuSeconds - before, gatewayCpu() - gatewayBefore];
  const storage = storageCpu() - storageBefore;
  const gibibytes = bytes / GIB;
  return {
    throughput: mibPerSecond,
    cpu: cpu / gibibytes,
    gatewayCpu: behind / gibibytes,
    storageCpu: storage / gibibytes,
    clientCpu: cpuSeconds / gibibytes,
    collections: ((await server.fullCollections()) - collectionsBefore) / gibibytes,
    p50Ms,
    p99Ms,
  };
}

export function medians(rounds: readonly Figures[] = []): Figures {
  const of = (pick: (figures: Figures) => number) => median(rounds.map(pick));
  return {
    throughput: of(({ throughput }) => throughput),
    cpu: of(({ cpu }) => cpu),
    gatewayCpu: of(({ gatewayCpu }) => gatewayCpu),
    storageCpu: of(({ storageCpu }) => storageCpu),
    clientCpu: of(({ clientCpu }) => clientCpu),
    // Full collections are rare: a median would hide them.
    collections: rounds.reduce((sum, { collections }) => sum + collections, 0) / rounds.length,
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
  };
}

/** Throughput of a side as a share of the other's: the median of the rounds' ratios. */
export function throughputRatio(rounds: Rounds, side: SideName, other: SideName): number {
  const others = rounds.get(other) ?? [];
  const ratios = (rounds.get(side) ?? []).map(
    ({ throughput }, round) => throughput / (others[round]?.throughput ?? Number.NaN),
  );
  return median(ratios);
}
