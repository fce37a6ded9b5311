import type { Outcome } from './run-scenario.fixture.ts';

const HEAD = [
  'faults',
  'injected',
  'S3 requests',
  'operations',
  'stored',
  'retried',
  'failed',
  'lost',
  'wrong',
  'slowest',
  'raw',
  'recovery',
  'peak memory',
  'failed with',
];

/** A table with the outcome of each scenario, and sums. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const rows = [HEAD, ...outcomes.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => pad(cell, column, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return `${lines.join('\n')}\n${sumsOf(outcomes)}`;
}

function cells(outcome: Outcome): string[] {
  const { failures } = outcome;
  return [
    outcome.scenario,
    countOf(Object.values(outcome.injected)),
    String(outcome.backendRequests),
    String(outcome.operations),
    String(outcome.acknowledged),
    String(outcome.retried),
    countOf([...failures.values()]),
    String(outcome.lost.length),
    String(outcome.wrong.length),
    `${outcome.slowest.toFixed(1)} s`,
    `${outcome.slowestRaw.toFixed(1)} s`,
    `${outcome.recovery.toFixed(1)} s`,
    `${(outcome.peakMemory / 2 ** 20).toFixed(0)} MiB`,
    [...failures].map(([code, count]) => `${code} ${count}`).join(', '),
  ];
}

function sumsOf(outcomes: readonly Outcome[]): string {
  const injected = new Map<string, number>();
  for (const outcome of outcomes) {
    for (const [kind, count] of Object.entries(outcome.injected)) {
      injected.set(kind, (injected.get(kind) ?? 0) + count);
    }
  }
  const kinds = [...injected].sort(([one], [other]) => (one < other ? -1 : 1));
  const sum = (of: (outcome: Outcome) => number) => String(outcomes.reduce((all, each) => all + of(each), 0));
  return (
    `faults injected: ${countOf([...injected.values()])} (${kinds.map(([kind, count]) => `${kind} ${count}`).join(', ')})\n` +
    `payloads acknowledged: ${sum((each) => each.acknowledged)}, lost: ${sum((each) => each.lost.length)}, ` +
    `wrong bytes delivered: ${sum((each) => each.wrong.length)}`
  );
}

function countOf(counts: readonly number[]): string {
  return String(counts.reduce((sum, count) => sum + count, 0));
}

function pad(cell: string, column: number, width: number): string {
  return column === 0 || column === HEAD.length - 1 ? cell.padEnd(width) : cell.padStart(width);
}
