import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputFolder } from '../../testing/output.ts';
import { CLUSTER_NAME } from './names.ts';

/** A line of the table that a run ends with: what was done to a store, and what was seen. */
export interface Seen {
  readonly fault: string;
  readonly outcome: string;
}

export const tableFile = join(outputFolder, `kubernetes.${CLUSTER_NAME}.jsonl`);

/** Test files run in processes of their own; a file gathers what they saw. */
export function show(fault: string, outcome: string): void {
  appendFileSync(tableFile, `${JSON.stringify({ fault, outcome })}\n`);
}

export function printTable(say: (line: string) => void): void {
  if (!existsSync(tableFile)) return;
  const rows = readFileSync(tableFile, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Seen)
    .sort((one, other) => (one.fault < other.fault ? -1 : 1));
  const width = Math.max(...rows.map(({ fault }) => fault.length));
  say('');
  say(`${'what was done'.padEnd(width)}  what happened`);
  say(`${'-'.repeat(width)}  ${'-'.repeat(60)}`);
  for (const { fault, outcome } of rows) say(`${fault.padEnd(width)}  ${outcome}`);
}
