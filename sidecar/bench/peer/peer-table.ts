import { markdownTable } from '@largepayload/testing/benchmarks/markdown-table';
import { type Figures, medians, throughputRatio } from '../load/rounds.ts';
import { nameOf, type PeerRow } from './row.ts';

/** Our goal beside the peer. */
interface Goal {
  /** our throughput as a share of the peer's, at least */
  readonly ratio: number;
  /** our seconds of processor time for each GiB, at most, from the peer's */
  readonly cpu: (peer: number) => number;
}

const GOALS: Readonly<Record<PeerRow['operation'], Goal>> = {
  PUT: { ratio: 1.2, cpu: (peer) => peer },
  'GET first': { ratio: 0.85, cpu: (peer) => peer + 0.7 },
  'GET repeated': { ratio: 1, cpu: (peer) => peer },
};
const FILESYSTEM_GOAL: Goal = { ratio: 1, cpu: (peer) => peer * 1.2 };

export function peerTable(rows: readonly PeerRow[]): string {
  return markdownTable(
    [
      'beside the peer',
      ...['ours MiB/s', 'peer MiB/s', 'ratio', 'goal', 'ours CPU s/GiB', 'peer CPU s/GiB', 'goal'],
      ...['ours p50, p99 ms', 'peer p50, p99 ms', 'S3 server CPU, ours : peer', 'client CPU, ours : peer'],
    ],
    rows.map((row) => {
      const [ours, peer] = [medians(row.rounds.get('ours')), medians(row.rounds.get('peer'))];
      const goal = row.where === 'filesystem' ? FILESYSTEM_GOAL : GOALS[row.operation];
      const ratio = throughputRatio(row.rounds, 'ours', 'peer');
      const mostCpu = goal.cpu(peer.cpu);
      return [
        nameOf(row),
        ours.throughput.toFixed(0),
        peer.throughput.toFixed(0),
        ratio.toFixed(2),
        verdict(`≥ ${goal.ratio.toFixed(2)}`, ratio >= goal.ratio),
        ours.cpu.toFixed(2),
        peer.cpu.toFixed(2),
        verdict(`≤ ${mostCpu.toFixed(2)}`, ours.cpu <= mostCpu),
        latencies(ours),
        latencies(peer),
        besides(ours.storageCpu, peer.storageCpu),
        besides(ours.clientCpu, peer.clientCpu),
      ];
    }),
  );
}

/** Another build of the service, measured in the same rounds, beside this one. */
export function beforeAfterTable(rows: readonly PeerRow[]): string {
  return markdownTable(
    [
      'before : after',
      ...['MiB/s', 'ratio', 'CPU s/GiB', 'peer CPU s/GiB', 'full collections/GiB', 'p99 ms'],
    ],
    rows.map((row) => {
      const [before, after] = [medians(row.rounds.get('before')), medians(row.rounds.get('ours'))];
      return [
        nameOf(row),
        besides(before.throughput, after.throughput, 0),
        throughputRatio(row.rounds, 'ours', 'before').toFixed(2),
        besides(before.cpu, after.cpu),
        medians(row.rounds.get('peer')).cpu.toFixed(2),
        besides(before.collections, after.collections, 0),
        besides(before.p99Ms, after.p99Ms, 0),
      ];
    }),
  );
}

function verdict(goal: string, isMet: boolean): string {
  return `${goal}: ${isMet ? 'met' : 'missed'}`;
}

function latencies({ p50Ms, p99Ms }: Figures): string {
  return `${p50Ms.toFixed(1)}, ${p99Ms.toFixed(1)}`;
}

function besides(one: number, other: number, digits = 2): string {
  return `${one.toFixed(digits)} : ${other.toFixed(digits)}`;
}
