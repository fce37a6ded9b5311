import { describe, expect, test } from 'vitest';
import { ClockMemory } from './clock-memory.ts';
import { clockRules } from './clock-plausibility.ts';
import { BUCKET, DAY, FOLDER, HOUR, Machine, MINUTE, NOON, SECOND, YEAR } from './machine.fixture.ts';

describe.each([
  ['a folder', FOLDER],
  ['a bucket', BUCKET],
])('on %s', (_title, facts) => {
  test('a new store may delete at once', () => {
    const machine = Machine.begun(facts);
    expect(machine.waits).toBeUndefined();
    expect(machine.mark).toBe(NOON);
  });

  test.each([0, 10 * MINUTE, 23 * HOUR])('a pause of %d ms delays nothing', (pause) => {
    const machine = Machine.begun(facts);
    machine.restart({ rest: pause });
    machine.agree();
    expect(machine.waits).toBeUndefined();
    expect(machine.lag).toBe(0);
  });

  const needed = facts.storageHasClock ? HOUR : DAY;
  test.each([25 * HOUR, 30 * DAY, YEAR])(
    'after a gap of %d ms deletion waits until running confirms it',
    (gap) => {
      const machine = Machine.begun(facts);
      machine.restart({ rest: gap });
      machine.agree();
      expect(machine.waits).toBe(needed);
      expect(machine.mark).toBeLessThanOrEqual(NOON + needed);
      machine.run(needed - MINUTE);
      expect(machine.waits).toBe(MINUTE);
      machine.run(MINUTE);
      expect(machine.waits).toBeUndefined();
      expect(machine.mark).toBe(machine.now.wallTime);
    },
  );

  test('restarts do not begin the wait anew, a step does', () => {
    const machine = Machine.begun(facts);
    machine.restart({ rest: YEAR });
    for (let restarts = 0; restarts < 5; restarts += 1) {
      machine.agree();
      machine.run(10 * MINUTE);
      machine.restart();
    }
    expect(machine.waits).toBe(needed - 50 * MINUTE);
    machine.set(-5 * MINUTE);
    machine.agree();
    expect(machine.waits).toBe(needed);
  });

  test('a person ends it', () => {
    const machine = Machine.begun(facts);
    machine.restart({ rest: YEAR });
    machine.memory.accept(machine.now.wallTime, machine.now, true);
    expect(machine.waits).toBeUndefined();
    machine.restart();
    expect(machine.waits).toBeUndefined();
  });

  test.each([
    ['one of ten intervals', { ...facts, reaperInterval: 3 * DAY }, 30 * DAY],
    ['a tenth of the TTL', { ...facts, ttl: 300 * DAY }, 30 * DAY],
  ])('a gap up to %s is none', (_what, changed, gap) => {
    const machine = Machine.begun(changed);
    machine.restart({ rest: gap - MINUTE });
    expect(machine.waits).toBeUndefined();
    machine.restart({ rest: 2 * MINUTE });
    expect(machine.waits).toBe(needed);
  });

  test('a storage of an earlier version has no mark: deletion waits', () => {
    const machine = new Machine(facts);
    machine.agree();
    expect(machine.waits).toBe(needed);
    machine.run(needed);
    expect(machine.waits).toBeUndefined();
  });

  test('one start a year ahead deletes nothing, and does not move the mark', () => {
    const machine = Machine.begun(facts);
    machine.restart({ offset: YEAR });
    machine.agree();
    machine.run(10 * MINUTE);
    expect(machine.waits).toBe(needed - 10 * MINUTE);
    machine.restart({ offset: 0 });
    machine.agree();
    expect(machine.waits).toBeUndefined();
    expect(machine.memory.behindMark(machine.now)).toBe(0);
    expect(machine.lag).toBe(0);
  });

  test('one start a day behind stores nothing, and moves nothing', () => {
    const machine = Machine.begun(facts);
    machine.restart({ rest: HOUR, offset: -DAY });
    expect(machine.memory.behindMark(machine.now)).toBe(DAY - HOUR);
    expect(machine.memory.placementTime(machine.now)).toBe(NOON);
    // NTP sets it right while we run: nothing was placed by the wrong clock.
    machine.set(0);
    machine.agree();
    expect(machine.lag).toBeLessThanOrEqual(HOUR);
    expect(machine.memory.behindMark(machine.now)).toBe(0);
    machine.restart();
    expect(machine.waits).toBeUndefined();
  });

  test('a mark in the far future stops PUTs, not deletion, until a person accepts the clock', () => {
    const machine = Machine.begun(facts);
    machine.memory.merge({ ...machine.memory.record(machine.now), mark: NOON + YEAR }, machine.now);
    machine.agree();
    expect(machine.memory.behindMark(machine.now)).toBe(YEAR);
    expect(machine.waits).toBeUndefined();
    const poisoned = machine.memory.record(machine.now);
    machine.memory.accept(machine.now.wallTime, machine.now, true);
    machine.memory.merge(poisoned, machine.now);
    expect(machine.memory.behindMark(machine.now)).toBe(0);
    // Another gateway has the mark in its memory, and learns of the acceptance.
    const other = new ClockMemory(clockRules(facts), machine.now);
    other.merge(poisoned, machine.now);
    expect(other.behindMark(machine.now)).toBe(YEAR);
    other.merge(machine.memory.record(machine.now), machine.now);
    expect(other.behindMark(machine.now)).toBe(0);
  });

  test('14 hours behind at boot, set right while we run, restarted: nothing is due earlier for it', () => {
    const machine = Machine.begun(facts, -14 * HOUR);
    const placed = machine.memory.placementTime(machine.now);
    machine.pass(5 * MINUTE);
    machine.set(0);
    machine.agree();
    expect(machine.lag).toBe(14 * HOUR);
    for (let restarts = 0; restarts < 3; restarts += 1) {
      machine.restart();
      machine.agree();
      expect(machine.lag).toBe(14 * HOUR);
    }
    // Until its TTL is over by an even clock, and a little longer.
    machine.restart({ rest: 12 * HOUR - 6 * MINUTE });
    expect(machine.memory.deletionTime(machine.now)).toBeLessThan(placed + 12 * HOUR);
    machine.restart({ rest: 3 * HOUR });
    expect(machine.lag).toBe(0);
  });

  test('a step of an earlier, longer TTL is not forgotten with it', () => {
    const machine = Machine.begun({ ...facts, ttl: 100 * DAY });
    machine.restart({ facts });
    machine.agree();
    machine.set(2 * HOUR);
    machine.agree();
    machine.pass(99 * DAY);
    expect(machine.lag).toBe(2 * HOUR);
  });

  test('a step that is taken back while we run leaves nothing', () => {
    const machine = Machine.begun(facts);
    const before = machine.memory.record(machine.now);
    machine.set(YEAR);
    machine.memory.observe(machine.now);
    const stepped = machine.memory.record(machine.now);
    expect(machine.lag).toBe(YEAR);
    machine.set(0);
    machine.memory.observe(machine.now);
    machine.memory.merge(stepped, machine.now);
    machine.memory.merge(before, machine.now);
    expect(machine.lag).toBe(0);
    machine.set(HOUR);
    expect(machine.lag).toBe(HOUR);
  });

  test('many small steps are a large one', () => {
    const machine = Machine.begun(facts);
    for (let offset = 0; offset <= 60 * SECOND; offset += 900) {
      machine.set(offset);
      machine.memory.observe(machine.now);
      machine.pass(10);
    }
    expect(machine.lag).toBeGreaterThan(58 * SECOND);
  });
});

test('a reaper accepts for itself, until it ends', () => {
  const machine = Machine.begun(BUCKET);
  machine.set(2 * HOUR);
  machine.agree();
  const stored = machine.memory.record(machine.now);
  const reaper = new ClockMemory(clockRules(BUCKET), machine.now);
  reaper.merge(stored, machine.now);
  expect(machine.now.wallTime - reaper.deletionTime(machine.now)).toBe(2 * HOUR);
  reaper.accept(machine.now.wallTime, machine.now, false);
  reaper.merge(stored, machine.now);
  expect(machine.now.wallTime - reaper.deletionTime(machine.now)).toBe(0);
  expect(reaper.record(machine.now).acceptances).toBe(0);
});
