import { markdownTable, percent } from '@largepayload/testing/benchmarks/markdown-table';
import { type Figures, medians, throughputRatio } from '../load/rounds.ts';
import type { SharedReferences } from './shared-references.ts';
import type { SidecarCosts } from './sidecar-costs.ts';
import type { SidecarRow } from './sidecar-transfers.ts';

const MOST_ADDED_MS = 3;
const LEAST_RATIO = 0.7;
const FLOOR_RATIO = 0.35;
const CACHED = { mostP99Ms: 2, leastRatio: 5 };

export function sidecarTables({ transfers, shared }: SidecarCosts): string {
  return [sidecarTable(transfers), tlsTable(transfers), sharedReferencesTable(shared)].join('\n\n');
}

/** The goals, and beside them what each row reached. */
function sidecarTable(rows: readonly SidecarRow[]): string {
  return markdownTable(
    [
      'through sidecar and gateway, clients',
      ...['MiB/s', 'SDK MiB/s', 'ratio', 'goal', 'p50, p99 ms', 'SDK p50 ms', 'added ms', 'goal'],
      ...['sidecar CPU s/GiB', 'gateway CPU s/GiB', 'SDK CPU s/GiB', 'S3 server CPU, ours : SDK'],
    ],
    rows.map((row) => {
      const [ours, sdk] = [medians(row.rounds.get('ours')), medians(row.rounds.get('sdk'))];
      const ratio = throughputRatio(row.rounds, 'ours', 'sdk');
      return [
        `${row.operation} ${row.size}, ${row.clients}`,
        ours.throughput.toFixed(0),
        sdk.throughput.toFixed(0),
        percent(ratio),
        throughputVerdict(row, ratio),
        `${ours.p50Ms.toFixed(1)}, ${ours.p99Ms.toFixed(1)}`,
        sdk.p50Ms.toFixed(1),
        (ours.p50Ms - sdk.p50Ms).toFixed(1),
        latencyVerdict(row, ours, sdk),
        ...[ours.cpu, ours.gatewayCpu, sdk.cpu].map((seconds) => seconds.toFixed(2)),
        besides(ours.storageCpu, sdk.storageCpu),
      ];
    }),
  );
}

/** TLS and tokens between sidecar and gateway, beside plain HTTP without. */
function tlsTable(rows: readonly SidecarRow[]): string {
  return markdownTable(
    [
      'TLS and tokens : plain HTTP, clients',
      ...['MiB/s', 'ratio', 'p50 ms', 'sidecar CPU s/GiB', 'gateway CPU s/GiB'],
    ],
    rows
      .filter(({ rounds }) => rounds.has('plain'))
      .map(({ operation, size, clients, rounds }) => {
        const [tls, plain] = [medians(rounds.get('ours')), medians(rounds.get('plain'))];
        return [
          `${operation} ${size}, ${clients}`,
          besides(tls.throughput, plain.throughput, 0),
          percent(throughputRatio(rounds, 'ours', 'plain')),
          besides(tls.p50Ms, plain.p50Ms, 1),
          besides(tls.cpu, plain.cpu),
          besides(tls.gatewayCpu, plain.gatewayCpu),
        ];
      }),
  );
}

function sharedReferencesTable(shared: SharedReferences): string {
  const { references, contents, gatewayGets, storageGets, storageHeads } = shared;
  return markdownTable(
    [`${references} references to ${contents} contents, through a cold cache`, 'requests', 'goal'],
    [
      ['GET of the gateway', `${gatewayGets}`, verdict(`${contents}`, gatewayGets === contents)],
      ['GET of S3', `${storageGets}`, verdict(`${contents}`, storageGets === contents)],
      ['HEAD of S3', `${storageHeads}`, verdict('0', storageHeads === 0)],
    ],
  );
}

function throughputVerdict({ operation, size }: SidecarRow, ratio: number): string {
  if (operation === 'GET cached')
    return verdict(`≥ ${percent(CACHED.leastRatio)}`, ratio >= CACHED.leastRatio);
  if (size !== '1 MiB') return '';
  const floor = ratio < LEAST_RATIO ? `, floor ${percent(FLOOR_RATIO)} ${reached(ratio >= FLOOR_RATIO)}` : '';
  return verdict(`≥ ${percent(LEAST_RATIO)}`, ratio >= LEAST_RATIO) + floor;
}

function latencyVerdict({ operation, size, clients }: SidecarRow, ours: Figures, sdk: Figures): string {
  if (clients !== 1) return '';
  if (operation === 'GET cached') return verdict(`p99 ≤ ${CACHED.mostP99Ms}`, ours.p99Ms <= CACHED.mostP99Ms);
  const added = ours.p50Ms - sdk.p50Ms;
  return size === '128 KiB' ? verdict(`≤ ${MOST_ADDED_MS}`, added <= MOST_ADDED_MS) : '';
}

function verdict(goal: string, isMet: boolean): string {
  return `${goal}: ${reached(isMet)}`;
}

function reached(isMet: boolean): string {
  return isMet ? 'met' : 'missed';
}

function besides(one: number, other: number, digits = 2): string {
  return `${one.toFixed(digits)} : ${other.toFixed(digits)}`;
}
