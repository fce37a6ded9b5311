import { describe, expect, test } from 'vitest';
import { BUCKET, FOLDER, HOUR, Machine, MINUTE } from './machine.fixture.ts';

test('in a bucket nothing was placed before the clocks agreed, so a step until then delays nothing', () => {
  const machine = new Machine(BUCKET, -14 * HOUR);
  machine.memory.beginNew();
  machine.set(0);
  machine.memory.observe(machine.now);
  machine.agree();
  expect(machine.lag).toBe(0);
});

describe('while no process runs, on a folder of a machine that is not booted anew', () => {
  test.each([10 * MINUTE, 14 * HOUR, 23 * HOUR])(
    'a step of %d ms forward delays what was placed before it',
    (by) => {
      const machine = Machine.begun(FOLDER, -by);
      machine.run(HOUR);
      machine.restart({ rest: 10 * MINUTE, offset: 0, boot: 'one' });
      machine.agree();
      expect(machine.lag).toBe(by);
      machine.run(14 * HOUR);
      expect(machine.lag).toBe(0);
    },
  );

  test('one start with a clock ahead delays nothing once it is set right', () => {
    const machine = Machine.begun(FOLDER);
    machine.restart({ offset: 20 * HOUR, boot: 'one' });
    machine.run(10 * MINUTE);
    expect(machine.lag).toBe(20 * HOUR);
    machine.restart({ rest: MINUTE, offset: 0, boot: 'one' });
    machine.agree();
    expect(machine.lag).toBe(0);
  });

  test('a rest is no step', () => {
    const machine = Machine.begun(FOLDER);
    machine.restart({ rest: 20 * HOUR, boot: 'one' });
    machine.agree();
    expect(machine.lag).toBe(0);
  });
});
