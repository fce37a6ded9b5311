import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { FairBudget } from './fair-budget.ts';

const never = new AbortController().signal;
const rules = { limit: 2, mostWaiting: 3, waitTimeMs: 10_000 };

/** Reserves one unit for each peer in turn; those that have it are added to `entered`. */
function inLine(budget: FairBudget, peers: readonly string[], entered: string[]) {
  return peers.map((peer) =>
    budget.reserve(peer, 1, never).then((release) => {
      entered.push(peer);
      return release;
    }),
  );
}

test('gives out so many units, then to the others in the order of their arrival', async () => {
  const budget = new FairBudget(rules);
  const releases = [await budget.reserve('a', 1, never), await budget.reserve('a', 1, never)];
  const entered: number[] = [];
  const waiting = [0, 1, 2].map((index) =>
    budget.reserve('a', 1, never).then((release) => {
      entered.push(index);
      return release;
    }),
  );
  await expect(budget.reserve('a', 1, never)).rejects.toMatchObject({ code: 'busy' });
  expect(entered).toEqual([]);
  releases[0]?.();
  releases[0]?.();
  await eventually('the first is in', () => entered.length > 0);
  expect(entered).toEqual([0]);
  releases[1]?.();
  (await waiting[0])?.();
  await eventually('all are in', () => entered.length === 3);
  expect(entered).toEqual([0, 1, 2]);
  for (const release of await Promise.all(waiting)) release();
  expect(budget.used).toBe(0);
  for (const release of [await budget.reserve('a', 1, never), await budget.reserve('a', 1, never)]) release();
});

test('a request that gives up, or waits too long, takes no unit', async () => {
  const budget = new FairBudget({ ...rules, limit: 1, waitTimeMs: 50 });
  const release = await budget.reserve('a', 1, never);
  const stop = new AbortController();
  const given = budget.reserve('a', 1, stop.signal);
  stop.abort(new Error('the client left'));
  await expect(given).rejects.toThrow('the client left');
  await expect(budget.reserve('a', 1, stop.signal)).rejects.toThrow('the client left');
  await expect(budget.reserve('a', 1, never)).rejects.toMatchObject({ code: 'busy' });
  release();
  (await budget.reserve('a', 1, never))();
});

test('a peer that is alone may hold all units, and waits behind the others once they come', async () => {
  const budget = new FairBudget({ ...rules, limit: 4, mostWaiting: 100 });
  const entered: string[] = [];
  const busy = inLine(budget, Array(10).fill('busy'), entered);
  await eventually('it has everything', () => entered.length === 4);
  const others = inLine(budget, ['other', 'other', 'another'], entered);
  for (const release of await Promise.all(busy.slice(0, 3))) release();
  await Promise.all([others[0], others[2]]);
  await eventually('all places are taken', () => entered.length === 7);
  expect(entered.slice(4).toSorted()).toEqual(['another', 'other', 'other']);
  expect(budget.used).toBe(4);
});

test('a request is not overtaken because it wants more units', async () => {
  const budget = new FairBudget({ ...rules, limit: 4 });
  const releases = await Promise.all([1, 1, 1].map((units) => budget.reserve('a', units, never)));
  const large = budget.reserve('b', 3, never);
  const small = budget.reserve('c', 1, never);
  expect(budget.demand).toMatchObject({ units: 4 });
  releases[0]?.();
  expect(budget.used).toBe(2);
  releases[1]?.();
  (await large)();
  (await small)();
});

test('when the line is full, the peer with the most requests in it gives up its last place', async () => {
  const budget = new FairBudget({ ...rules, limit: 1 });
  const release = await budget.reserve('a', 1, never);
  const entered: string[] = [];
  const [first, second, third] = inLine(budget, ['a', 'a', 'a'], entered);
  const other = inLine(budget, ['b'], entered)[0];
  await expect(third).rejects.toMatchObject({ code: 'busy' });
  await expect(budget.reserve('a', 1, never)).rejects.toMatchObject({ code: 'busy' });
  release();
  for (const waiting of [other, first, second]) (await waiting)?.();
  // Though the others came before, as their peer had its turn just now.
  expect(entered).toEqual(['b', 'a', 'a']);
});

test('a peer has more than its share only while others wait', async () => {
  const budget = new FairBudget({ ...rules, limit: 10 });
  const held = await budget.reserve('a', 8, never);
  const own = budget.reserve('a', 4, never);
  expect(budget.demand?.excessOf('a')).toBe(0);
  const other = budget.reserve('b', 6, never);
  expect(budget.demand?.excessOf('a')).toBe(3);
  expect(budget.demand?.excessOf('b')).toBe(0);
  held();
  for (const waiting of [other, own]) (await waiting)();
  expect(budget.demand).toBe(undefined);
});

test('a request waits no longer than until its deadline', async () => {
  const budget = new FairBudget({ ...rules, limit: 1, waitTimeMs: 60_000 });
  const release = await budget.reserve('a', 1, never);
  for (const restMs of [50, 0, -1_000]) {
    const late = budget.reserve('a', 1, never, performance.now() + restMs);
    await expect(late).rejects.toMatchObject({ code: 'busy' });
  }
  expect(budget.demand).toBe(undefined);
  release();
  (await budget.reserve('a', 1, never, performance.now() + 50))();
});

test('a deadline that is later than the wait time does not prolong the wait', async () => {
  const budget = new FairBudget({ ...rules, limit: 1, waitTimeMs: 50 });
  await budget.reserve('a', 1, never);
  const refused = budget.reserve('a', 1, never, performance.now() + 600_000);
  await expect(refused).rejects.toMatchObject({ code: 'busy' });
});

test('while the budget is paused all requests wait in line, and they enter in their order after `resume`', async () => {
  const budget = new FairBudget(rules);
  const held = await budget.reserve('a', 1, never);
  budget.pause();
  const entered: string[] = [];
  const waiting = inLine(budget, ['b', 'c', 'd'], entered);
  await expect(budget.reserve('d', 1, never)).rejects.toMatchObject({ code: 'busy' });
  held();
  expect(budget.used).toBe(0);
  expect(entered).toEqual([]);
  budget.resume();
  await eventually('two are in', () => entered.length === 2);
  expect(budget.used).toBe(2);
  for (const place of waiting) (await place)();
  expect(entered).toEqual(['b', 'c', 'd']);
});

test('a request that gives up while the budget is paused takes no unit after `resume`', async () => {
  const budget = new FairBudget(rules);
  budget.pause();
  const stop = new AbortController();
  const given = budget.reserve('a', 2, stop.signal);
  const other = budget.reserve('b', 2, never);
  stop.abort(new Error('the client left'));
  await expect(given).rejects.toThrow('the client left');
  budget.resume();
  (await other)();
  expect(budget.used).toBe(0);
});
