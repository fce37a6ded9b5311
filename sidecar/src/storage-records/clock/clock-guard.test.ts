import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { clockGuardOf } from './clock.fixture.ts';

const MINUTE = 60_000;

/** A storage whose clock is `ahead` ms ahead of the true time, which the fake Date need not tell. */
class OtherClock extends MemoryDriver {
  ahead = 0;
  asked = 0;
  trueTime = () => Date.now();
  failure: Error | undefined;

  override async currentTime(): Promise<number> {
    this.asked += 1;
    if (this.failure !== undefined) throw this.failure;
    return this.trueTime() + this.ahead;
  }
}

let driver: OtherClock;
beforeEach(() => {
  driver = new OtherClock(0);
});
afterEach(() => {
  vi.useRealTimers();
});

/** Sets the wall clock, and leaves the monotonic one alone, as an administrator does. */
function stepWallClock(by: number): void {
  const real = performance.timeOrigin + performance.now();
  driver.trueTime = () => performance.timeOrigin + performance.now();
  vi.useFakeTimers({ toFake: ['Date'], now: real + by });
}

describe.each([
  [0, 2_000],
  [1_000, 2_000],
  [MINUTE, MINUTE],
])('with %d ms allowed between processes', (allowed, tolerance) => {
  test.each([0, -tolerance + 100, tolerance - 100])('a storage %d ms ahead is trusted', async (ahead) => {
    driver.ahead = ahead;
    await clockGuardOf(driver, allowed).assertTrusted();
  });

  test.each([
    [tolerance + 200, 'behind'],
    [-tolerance - 200, 'ahead of'],
  ])('one %d ms ahead is not: we are %s it', async (ahead, direction) => {
    driver.ahead = ahead;
    const guard = clockGuardOf(driver, allowed);
    const error = {
      code: 'clock_difference',
      message: expect.stringContaining(`s ${direction} the storage's`),
    };
    await expect(guard.assertTrusted()).rejects.toMatchObject(error);
    await expect(guard.check()).rejects.toMatchObject(error);
  });
});

describe('an answer that took its time', () => {
  /** Each answer takes so many ms, by which both clocks run on, and tells the time of its middle. */
  function answersTake(...durations: number[]) {
    driver.currentTime = async () => {
      driver.asked += 1;
      const taken = durations[Math.min(driver.asked, durations.length) - 1] ?? 0;
      const time = Date.now();
      vi.useFakeTimers({ toFake: ['Date'], now: time + taken });
      return time + taken / 2 + driver.ahead;
    };
  }

  test('proves nothing when the clocks agree only at some moments of it, and is no difference', async () => {
    answersTake(10_000);
    const guard = clockGuardOf(driver, 0);
    await expect(guard.check()).rejects.toMatchObject({
      failure: 'timeout',
      message: expect.stringContaining('took 10.0 s to tell its time, too long to prove'),
    });
    await expect(guard.assertTrusted()).rejects.toMatchObject({ failure: 'timeout' });
    expect(driver.asked).toBe(8);
  });

  test('does not hide that the clocks differ', async () => {
    driver.ahead = 3_000;
    answersTake(5_000, 100);
    await expect(clockGuardOf(driver, 0).check()).rejects.toMatchObject({ code: 'clock_difference' });
  });

  test('is asked for again, and a faster one proves it', async () => {
    answersTake(10_000, 5_000, 1_000);
    await clockGuardOf(driver, 0).check();
    expect(driver.asked).toBe(3);
  });

  test('may be slow where clocks may differ by more, and prove it all the same', async () => {
    answersTake(10_000);
    await clockGuardOf(driver, MINUTE).check();
    expect(driver.asked).toBe(1);
  });

  test('proves a difference that no moment of it explains', async () => {
    driver.ahead = -60 * MINUTE;
    answersTake(10_000);
    await expect(clockGuardOf(driver, 0).check()).rejects.toMatchObject({ code: 'clock_difference' });
    expect(driver.asked).toBe(1);
  });
});

test('one comparison serves many, `check` always makes a new one', async () => {
  const guard = clockGuardOf(driver, 0);
  await Promise.all(Array.from({ length: 20 }, () => guard.assertTrusted()));
  await guard.assertTrusted();
  expect(driver.asked).toBe(1);
  await guard.check();
  expect(driver.asked).toBe(2);
});

test.each([-MINUTE, -3_000, 3_000, MINUTE])(
  'a step of our clock by %d ms is noticed at once',
  async (step) => {
    const guard = clockGuardOf(driver, 0);
    await guard.assertTrusted();
    stepWallClock(step);
    await expect(guard.assertTrusted()).rejects.toMatchObject({ code: 'clock_difference' });
    vi.useRealTimers();
    await guard.assertTrusted();
  },
);

test('when the storage’s clock is set right, the next comparison trusts it', async () => {
  driver.ahead = MINUTE;
  const guard = clockGuardOf(driver, 0);
  await expect(guard.check()).rejects.toMatchObject({ code: 'clock_difference' });
  driver.ahead = 0;
  await guard.check();
  await guard.assertTrusted();
});

test('a storage that does not answer is asked again the next time', async () => {
  const guard = clockGuardOf(driver, 0);
  driver.failure = new Error('no answer');
  await expect(guard.assertTrusted()).rejects.toBe(driver.failure);
  await expect(guard.assertTrusted()).rejects.toBe(driver.failure);
  driver.failure = undefined;
  await guard.assertTrusted();
  expect(driver.asked).toBe(3);
});

describe('a step while the process runs, on a folder of this machine, where no comparison shows it', () => {
  const received = () => ({ wallTime: Date.now(), monotonicTime: performance.now() });

  test('forwards hastens no deletion, and placement follows it', async () => {
    const clock = clockGuardOf(driver, 0);
    const before = Date.now();
    stepWallClock(60 * MINUTE);
    expect(clock.deletionTime - before).toBeLessThan(MINUTE);
    expect(clock.deletionLag).toBeGreaterThan(59 * MINUTE);
    expect(clock.placementTime(received()) - before).toBeGreaterThan(59 * MINUTE);
  });

  test('backwards shortens no life, and delays deletion', async () => {
    const clock = clockGuardOf(driver, 0);
    const before = Date.now();
    stepWallClock(-60 * MINUTE);
    expect(before - clock.placementTime(received())).toBeLessThan(MINUTE);
    expect(before - clock.deletionTime).toBeGreaterThan(59 * MINUTE);
    expect(clock.deletionLag).toBe(0);
  });
});
