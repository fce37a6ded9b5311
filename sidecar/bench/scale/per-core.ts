import { markdownTable } from '@largepayload/testing/benchmarks/markdown-table';
import { textOf } from '@largepayload/testing/documents/markdown';

const COST = 'ours CPU s/GiB';
const MIB_OF = { KiB: 1 / 1024, MiB: 1 } as const;

/**
 * What one core moves, from the processor time in the tables of docs/performance.md. A Markdown table.
 * @throws Error when the page has no such table any more
 */
export function perCoreTable(): string {
  const rows: string[][] = [];
  let column = -1;
  for (const line of textOf('docs/performance.md').split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.includes(COST)) column = cells.indexOf(COST);
    else if (cells.length < 3) column = -1;
    const [, what = ''] = cells;
    const [, number, unit] = /(\d+) (KiB|MiB)/.exec(what) ?? [];
    if (column < 0 || unit === undefined) continue;
    const mebibytes = 1_024 / Number(cells[column]);
    const payloads = mebibytes / (Number(number) * MIB_OF[unit as keyof typeof MIB_OF]);
    rows.push([
      /^(PUT|GET)/.test(what) ? `S3 ${what} at a time` : what,
      mebibytes.toFixed(0),
      payloads.toFixed(0),
    ]);
  }
  if (rows.length === 0) throw new Error(`docs/performance.md has no table with ${COST}`);
  return markdownTable(['on one core', 'MiB/s', 'payloads/s'], rows);
}
