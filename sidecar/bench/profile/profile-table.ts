import { markdownTable } from '@largepayload/testing/benchmarks/markdown-table';
import { KINDS_OF_WORK, type KindOfWork } from './cpu-shares.ts';
import type { Profile, ProfileRow } from './profiles.ts';

/** Seconds of processor time for each GiB, by the kind of work, before and after. */
export function profileTable(rows: readonly ProfileRow[]): string {
  const seconds = ({ cpu, shares }: Profile, kind: KindOfWork) => (cpu * shares[kind]).toFixed(2);
  return markdownTable(
    ['CPU s/GiB under a profiler, before : after', 'in all', ...KINDS_OF_WORK],
    rows.map(({ what, before, after }) => [
      what,
      `${before.cpu.toFixed(2)} : ${after.cpu.toFixed(2)}`,
      ...KINDS_OF_WORK.map((kind) => `${seconds(before, kind)} : ${seconds(after, kind)}`),
    ]),
  );
}
