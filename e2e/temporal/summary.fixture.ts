import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputFolder } from '@largepayload/testing/processes/output-folder';

/** A row of the table at the end of a run. */
export interface Shown {
  readonly what: string;
  /** Bytes of the payloads. */
  readonly payloads?: string;
  /** Bytes of workflow history, as Temporal counts them. */
  readonly historyBytes?: number;
  readonly seconds?: number;
  readonly outcome: string;
}

const file = join(outputFolder, 'summary.jsonl');

/** Each test file runs in a process of its own, so the rows are gathered in a file. */
export function show(shown: Shown): void {
  appendFileSync(file, `${JSON.stringify(shown)}\n`);
}

export function printSummary(say: (line: string) => void): void {
  if (!existsSync(file)) return;
  const rows = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => cells(JSON.parse(line) as Shown));
  const head = ['what was shown', 'payloads', 'history', 'time', 'outcome'];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const print = (row: readonly string[]) =>
    say(
      row
        .map((cell, column) => pad(cell, column, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  say('');
  print(head);
  print(widths.map((width) => '-'.repeat(width)));
  for (const row of rows) print(row);
}

function cells({ what, payloads, historyBytes, seconds, outcome }: Shown): string[] {
  const history = historyBytes === undefined ? '' : `${historyBytes.toLocaleString('en-US')} B`;
  return [what, payloads ?? '', history, seconds === undefined ? '' : `${seconds.toFixed(1)} s`, outcome];
}

function pad(cell: string, column: number, width: number): string {
  return column >= 1 && column <= 3 ? cell.padStart(width) : cell.padEnd(width);
}
