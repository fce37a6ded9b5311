import { markdownTable, percent } from '@largepayload/testing/benchmarks/markdown-table';
import { medians, throughputRatio } from '../load/rounds.ts';
import type { S3Requests } from './s3-requests.ts';
import type { S3Row } from './s3-transfers.ts';

/** @param server names the S3 server */
export function s3Table(server: string, rows: readonly S3Row[]): string {
  return markdownTable(
    [
      `S3 (${server}), clients`,
      ...['ours MiB/s', 'SDK MiB/s', 'ratio', 'goal', 'ours p50 ms', 'SDK p50 ms', 'added ms', 'goal'],
      ...['ours CPU s/GiB', 'SDK CPU s/GiB'],
    ],
    rows.map(({ what, clients, goals, rounds }) => {
      const [ours, sdk] = [medians(rounds.get('ours')), medians(rounds.get('sdk'))];
      return [
        `${what}, ${clients}`,
        ours.throughput.toFixed(0),
        sdk.throughput.toFixed(0),
        percent(throughputRatio(rounds, 'ours', 'sdk')),
        goals.ratio === undefined ? '' : `≥ ${percent(goals.ratio)}`,
        ours.p50Ms.toFixed(1),
        sdk.p50Ms.toFixed(1),
        (ours.p50Ms - sdk.p50Ms).toFixed(1),
        goals.added === undefined ? '' : `≤ ${goals.added}`,
        ours.cpu.toFixed(2),
        sdk.cpu.toFixed(2),
      ];
    }),
  );
}

const KIB = 1024;

/** By operation; a column for each size. */
export function s3RequestTable(measured: readonly S3Requests[]): string {
  const sizes = measured.map(({ size }) =>
    size < KIB * KIB ? `${size / KIB} KiB` : `${size / KIB / KIB} MiB`,
  );
  const row = (what: string, tell: (requests: S3Requests) => string, goal: string) => [
    what,
    ...measured.map(tell),
    goal,
  ];
  return markdownTable(
    ['requests to S3', ...sizes, 'goal'],
    [
      row('a new payload', ({ newPut }) => newPut, '1'),
      row('a payload that is there', ({ hit }) => hit, '2'),
      row('a GET', ({ get }) => get, '1'),
    ],
  );
}
