import { describe, expect, test } from 'vitest';
import { BUCKET, FOLDER, HOUR, Machine, MINUTE, NOON, SECOND } from './machine.fixture.ts';

describe('the mark', () => {
  test('of a folder rises by running alone, and after an hour of it by a plausible gap', () => {
    const machine = Machine.begun(FOLDER);
    machine.restart({ rest: 20 * HOUR });
    machine.agree();
    expect(machine.mark).toBe(NOON);
    machine.run(HOUR - MINUTE);
    expect(machine.mark).toBe(NOON + HOUR - MINUTE);
    machine.run(MINUTE);
    expect(machine.mark).toBe(machine.now.wallTime);
  });

  test('of a folder does not follow a clock that is set', () => {
    const machine = Machine.begun(FOLDER);
    machine.set(20 * HOUR);
    machine.run(30 * MINUTE);
    expect(machine.mark).toBe(NOON + 30 * MINUTE);
    machine.set(0);
    machine.agree();
    expect(machine.memory.behindMark(machine.now)).toBe(0);
  });

  test('of a bucket is what both clocks have reached', () => {
    const machine = Machine.begun(BUCKET);
    machine.pass(HOUR);
    machine.memory.confirm(machine.now.wallTime - 40 * SECOND, machine.now);
    expect(machine.mark).toBe(NOON + HOUR - 40 * SECOND);
  });

  test('is not lowered by what another wrote', () => {
    const machine = Machine.begun(BUCKET);
    const old = machine.memory.record(machine.now);
    machine.run(HOUR);
    machine.memory.merge(old, machine.now);
    expect(machine.mark).toBe(NOON + HOUR);
  });
});
