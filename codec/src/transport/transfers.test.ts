import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { failureOf, within } from '../failures.fixture.ts';
import { Slots } from './slots.ts';
import { transferAll } from './transfers.ts';

const nameOf = (item: number) => String(item);
const prepare = (item: number) => item;
const noted = () => Number.POSITIVE_INFINITY;

describe('transfers', () => {
  test('of equal names are one; results come in the order of the items', async () => {
    const begun: number[] = [];
    const transfer = async (item: number) => {
      begun.push(item);
      await sleep(30 - item);
      return item * 10;
    };
    const outcomes = await transferAll([20, 10, 20, 5, 10], { prepare, nameOf, transfer });
    expect(outcomes.map(({ result }) => result)).toEqual([200, 100, 200, 50, 100]);
    expect(outcomes.map(({ prepared }) => prepared)).toEqual([20, 10, 20, 5, 10]);
    expect(begun).toEqual([20, 10, 5]);
  });

  test('of 10,000 items end', async () => {
    const items = Array.from({ length: 10_000 }, (_, index) => index);
    const slots = new Slots(16);
    const transfer = (item: number, signal: AbortSignal) => slots.run(signal, noted, async () => item);
    const outcomes = await transferAll(items, { prepare, nameOf, transfer });
    expect(outcomes.map(({ result }) => result)).toEqual(items);
  });

  test('when one fails the others are aborted and awaited, and the first failure is thrown', async () => {
    let left = 2;
    const transfer = async (item: number, signal: AbortSignal) => {
      if (item === 2) throw new Error('the first');
      await sleep(10_000, undefined, { signal }).catch(() => undefined);
      await sleep(50);
      left -= 1;
      throw new Error('a later one');
    };
    const failure = failureOf(transferAll([0, 1, 2, 3], { prepare, nameOf, transfer }));
    expect(await within(2_000, failure)).toEqual(new Error('the first'));
    expect(left).toBe(0);
  });

  test('nothing begins after a failure', async () => {
    const begun: number[] = [];
    const transfer = async (item: number) => {
      begun.push(item);
      throw new Error(`no ${item}`);
    };
    expect(await failureOf(transferAll([1, 2, 3], { prepare, nameOf, transfer }))).toEqual(new Error('no 1'));
    expect(begun).toEqual([1]);
  });

  test('end with the signal, before they begin as well', async () => {
    const stop = new AbortController();
    const waiting = (_item: number, signal: AbortSignal) => sleep(60_000, undefined, { signal });
    const transfers = { prepare, nameOf, transfer: waiting, signal: stop.signal };
    const failure = failureOf(transferAll([1, 2], transfers));
    await sleep(20);
    stop.abort(new Error('enough'));
    expect(await within(5_000, failure)).toEqual(new Error('enough'));
    expect(await within(5_000, failureOf(transferAll([1, 2], transfers)))).toEqual(new Error('enough'));
  });

  test('end when one of them cannot be prepared', async () => {
    let aborted = false;
    const transfer = async (_item: number, signal: AbortSignal) => {
      await sleep(10_000, undefined, { signal }).catch(() => undefined);
      aborted = signal.aborted;
    };
    const preparing = async (item: number) => {
      if (item === 2) throw new Error('unreadable');
      return item;
    };
    const failure = failureOf(transferAll([1, 2], { prepare: preparing, nameOf, transfer }));
    expect(await within(2_000, failure)).toEqual(new Error('unreadable'));
    expect(aborted).toBe(true);
  });
});

describe('slots', () => {
  const { signal } = new AbortController();

  test('bound what runs at a time, and serve in order', async () => {
    const slots = new Slots(3);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const work = async (item: number) => {
      order.push(item);
      running += 1;
      most = Math.max(most, running);
      await sleep(5);
      running -= 1;
    };
    const items = Array.from({ length: 20 }, (_, index) => index);
    await Promise.all(items.map((item) => slots.run(signal, noted, () => work(item))));
    expect(most).toBe(3);
    expect(order).toEqual(items);
  });

  test('one that waits leaves at once when aborted, and takes no slot', async () => {
    const slots = new Slots(1);
    const stop = new AbortController();
    const holding = slots.run(signal, noted, () => sleep(100));
    const waiting = failureOf(slots.run(stop.signal, noted, async () => expect.unreachable()));
    stop.abort(new Error('never mind'));
    expect(await within(50, waiting)).toEqual(new Error('never mind'));
    await holding;
    expect(
      await within(
        50,
        slots.run(signal, noted, async () => 'free'),
      ),
    ).toBe('free');
  });

  test('serve calls in turn, whatever the number of their payloads', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    const run = (call: AbortSignal, name: string) =>
      slots.run(call, noted, async () => {
        order.push(name);
        await sleep(1);
      });
    const many = new AbortController().signal;
    const few = new AbortController().signal;
    await Promise.all([...['a', 'b', 'c', 'd'].map((name) => run(many, name)), run(few, 'x'), run(few, 'y')]);
    expect(order).toEqual(['a', 'b', 'x', 'c', 'y', 'd']);
  });

  test('begin nothing during a pause', async () => {
    const slots = new Slots(2);
    slots.pause(200);
    const started = performance.now();
    const running = [1, 2, 3].map(() => slots.run(signal, noted, async () => performance.now() - started));
    for (const after of await Promise.all(running)) expect(after).toBeGreaterThan(195);
    const stop = new AbortController();
    slots.pause(10_000);
    const waiting = failureOf(slots.run(stop.signal, noted, async () => expect.unreachable()));
    stop.abort(new Error('never mind'));
    expect(await within(50, waiting)).toEqual(new Error('never mind'));
  });

  test('wait for a pause as long as they may, and not for pauses that are asked for meanwhile', async () => {
    const slots = new Slots(2);
    slots.pause(60_000);
    expect(
      await within(
        5_000,
        slots.run(
          signal,
          () => 50,
          async () => 'begun',
        ),
      ),
    ).toBe('begun');
    const again = new Slots(2);
    again.pause(100);
    const running = again.run(signal, noted, async () => 'begun');
    await sleep(20);
    again.pause(60_000);
    expect(await within(5_000, running)).toBe('begun');
  });

  test('a failure frees its slot', async () => {
    const slots = new Slots(1);
    const failing = () => slots.run(signal, noted, async () => Promise.reject(new Error('no')));
    expect(await failureOf(failing())).toEqual(new Error('no'));
    expect(
      await within(
        50,
        slots.run(signal, noted, async () => 'free'),
      ),
    ).toBe('free');
  });
});
