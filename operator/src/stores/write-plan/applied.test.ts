import { describe, expect, it } from 'vitest';
import { AppliedObjects } from './applied.ts';

const ID = 'default/documents/Service/documents-gateway';

describe('AppliedObjects', () => {
  it('applies what was never applied', () => {
    expect(new AppliedObjects().judge(ID, 'a', undefined, 0)).toEqual({ apply: true });
    expect(new AppliedObjects().judge(ID, 'a', '7', 0)).toEqual({ apply: true });
  });

  it('leaves alone what is as it was applied, for ever', () => {
    const applied = new AppliedObjects();
    applied.record(ID, 'a', '7', 0);
    expect(applied.judge(ID, 'a', '7', 1)).toEqual({ apply: false });
    expect(applied.judge(ID, 'a', '7', 10_000_000)).toEqual({ apply: false });
  });

  it('applies at once what is desired otherwise now', () => {
    const applied = new AppliedObjects();
    applied.record(ID, 'a', '7', 0);
    expect(applied.judge(ID, 'b', '7', 1)).toEqual({ apply: true });
  });

  it('waits for a mirror that lags before it repairs', () => {
    const applied = new AppliedObjects();
    applied.record(ID, 'a', '7', 0);
    expect(applied.judge(ID, 'a', undefined, 500)).toEqual({ apply: false, lookAgainAfter: 1_500 });
    expect(applied.judge(ID, 'a', '6', 2_000)).toEqual({ apply: true });
    expect(applied.judge(ID, 'a', undefined, 2_000)).toEqual({ apply: true });
  });

  it('repairs at longer and longer intervals what is changed again and again, at least every 5 minutes', () => {
    const applied = new AppliedObjects();
    const pauses = [];
    let now = 0;
    applied.record(ID, 'a', '0', now);
    for (let repair = 1; repair <= 12; repair++) {
      const verdict = applied.judge(ID, 'a', 'foreign', now);
      if (verdict.apply || verdict.lookAgainAfter === undefined) throw new Error('repaired at once');
      pauses.push(verdict.lookAgainAfter / 1_000);
      now += verdict.lookAgainAfter;
      expect(applied.judge(ID, 'a', 'foreign', now)).toEqual({ apply: true });
      applied.record(ID, 'a', String(repair), now);
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]);
  });

  it('repairs quickly again once something else is desired', () => {
    const applied = new AppliedObjects();
    applied.record(ID, 'a', '1', 0);
    applied.record(ID, 'a', '2', 1);
    applied.record(ID, 'b', '3', 2);
    expect(applied.judge(ID, 'b', 'foreign', 2)).toEqual({ apply: false, lookAgainAfter: 2_000 });
  });
});
