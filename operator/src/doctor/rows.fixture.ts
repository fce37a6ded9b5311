import { describe, expect, test } from 'vitest';
import { diagnose } from './diagnose.ts';
import type { Level } from './finding.ts';
import type { Situation } from './situation.ts';

/** A situation, and the finding that is expected in it, with parts of its texts. */
export type Row = readonly [
  what: string,
  situation: Situation,
  check: string,
  level: Level,
  message: string | RegExp,
  fix?: string | RegExp,
];

/** Declares a test for each row. */
export function checkRows(about: string, rows: readonly Row[]): void {
  describe(about, () => {
    test.for(rows)('%s', ([, situation, check, level, message, fix]) => {
      const of = diagnose(situation).findings.filter((each) => each.check === check && each.level === level);
      expect(of.map((each) => each.message).join('\n')).toMatch(message);
      expect(of.length).toBeGreaterThan(0);
      if (fix !== undefined) expect(of.map((each) => each.fix).join('\n')).toMatch(fix);
    });
  });
}
