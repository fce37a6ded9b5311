import { describe, expect, it } from 'vitest';
import { type AppliedObject, appliedAs, judge } from './applied-object.ts';

const APPLIED = appliedAs(undefined, 'a', '7', 0);

describe('an applied object', () => {
  it('is applied when it never was', () => {
    expect(judge(undefined, 'a', undefined, 0)).toEqual({ apply: true });
    expect(judge(undefined, 'a', '7', 0)).toEqual({ apply: true });
  });

  it('is left alone for ever while it is as it was applied', () => {
    expect(judge(APPLIED, 'a', '7', 1)).toEqual({ apply: false });
    expect(judge(APPLIED, 'a', '7', 10_000_000)).toEqual({ apply: false });
  });

  it('is applied at once when it is desired otherwise now', () => {
    expect(judge(APPLIED, 'b', '7', 1)).toEqual({ apply: true });
  });

  it('is repaired only after the time that informers may lag', () => {
    expect(judge(APPLIED, 'a', undefined, 500)).toEqual({ apply: false, lookAgainAfterMs: 1_500 });
    expect(judge(APPLIED, 'a', '6', 2_000)).toEqual({ apply: true });
    expect(judge(APPLIED, 'a', undefined, 2_000)).toEqual({ apply: true });
  });

  it('is repaired at longer and longer intervals when it is changed again and again, at least every 5 minutes', () => {
    const pauses = [];
    let nowMs = 0;
    let applied: AppliedObject = appliedAs(undefined, 'a', '0', nowMs);
    for (let repair = 1; repair <= 12; repair++) {
      const verdict = judge(applied, 'a', 'foreign', nowMs);
      if (verdict.apply || verdict.lookAgainAfterMs === undefined) throw new Error('repaired at once');
      pauses.push(verdict.lookAgainAfterMs / 1_000);
      nowMs += verdict.lookAgainAfterMs;
      expect(judge(applied, 'a', 'foreign', nowMs)).toEqual({ apply: true });
      applied = appliedAs(applied, 'a', String(repair), nowMs);
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]);
  });

  it('is repaired quickly again once something else is desired', () => {
    const other = appliedAs(appliedAs(appliedAs(undefined, 'a', '1', 0), 'a', '2', 1), 'b', '3', 2);
    expect(judge(other, 'b', 'foreign', 2)).toEqual({ apply: false, lookAgainAfterMs: 2_000 });
  });
});
