import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PollPlaces } from './poll-places.ts';
import { podAt, READY } from './running-pods.fixture.ts';
import { StorePolls } from './store-polls.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A pod that is ready and holds each poll that has a revision until the test answers. */
async function holdingPod(ip: string, component: 'gateway' | 'reaper' = 'gateway') {
  const held: ServerResponse[] = [];
  const asked: (string | null)[] = [];
  const report = { ...READY, revision: 'one', ready: true, reaper: component === 'reaper' ? REAPED : null };
  const pod = await podAt(ip, (request, response) => {
    const since = new URL(request.url ?? '', 'http://pod').searchParams.get('since');
    asked.push(since);
    if (since === null) return void response.end(JSON.stringify(report));
    response.write(' ');
    held.push(response);
  });
  const answer = (fields: object) => held.shift()?.end(JSON.stringify({ ...report, ...fields }));
  return { pod: { ...pod, component, ready: true }, held, asked, answer };
}
const REAPED = { lastCompletedTime: '2026-01-01T00:00:00Z' };

function pollsOfStore() {
  const shared = { places: new PollPlaces(), held: 0 };
  const count = { news: 0 };
  const polls = new StorePolls(shared, () => {
    count.news++;
  });
  return { polls, shared, count };
}

/** Resolves once it is so; the time of the polls stands still. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

test('of pods that are well one gateway and the reaper are asked to hold a poll, which takes no place', async () => {
  const gateways = [await holdingPod('127.0.76.1'), await holdingPod('127.0.76.2')];
  const reaper = await holdingPod('127.0.76.3', 'reaper');
  const { polls, shared, count } = pollsOfStore();
  const all = [...gateways, reaper];
  polls.watch(all.map(({ pod }) => pod));
  await shared.places.settled();
  expect(all.map(({ asked }) => asked)).toEqual([[null], [null], [null]]);
  expect(count.news).toBe(3);
  vi.advanceTimersByTime(1_000);
  await until(() => all.flatMap(({ held }) => held).length === 2);
  await shared.places.settled();
  expect(shared.held).toBe(2);
  expect(reaper.asked).toEqual([null, 'one']);
  vi.advanceTimersByTime(300_000);
  expect(all.flatMap(({ asked }) => asked)).toHaveLength(5);
  polls.watch([]);
  await until(() => shared.held === 0);
});

test('another gateway comes in turn when the time of a poll is over, and no report is lost', async () => {
  const gateways = [await holdingPod('127.0.76.4'), await holdingPod('127.0.76.5')];
  const { polls, shared, count } = pollsOfStore();
  polls.watch(gateways.map(({ pod }) => pod));
  await shared.places.settled();
  vi.advanceTimersByTime(1_000);
  const order: number[] = [];
  for (let turn = 0; turn < 4; turn++) {
    await until(() =>
      gateways.some(({ asked }, index) => asked.length > order.filter((each) => each === index).length + 1),
    );
    await until(() => shared.held === 1);
    order.push(
      gateways.findIndex(
        ({ asked }, index) => asked.length > order.filter((each) => each === index).length + 1,
      ),
    );
    await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(305_000);
  }
  expect(order.slice(0, 2).sort()).toEqual([0, 1]);
  expect(order.slice(2)).toEqual(order.slice(0, 2));
  expect(polls.reports.size).toBe(2);
  expect(count.news).toBe(2);
  polls.watch([]);
});

test('the result of a held poll is news, and a pod that is not well any more is polled again soon', async () => {
  const { pod, held, asked, answer } = await holdingPod('127.0.76.6');
  const { polls, shared, count } = pollsOfStore();
  polls.watch([pod]);
  await shared.places.settled();
  vi.advanceTimersByTime(1_000);
  await until(() => held.length === 1);
  answer({ ready: false, error: { code: 'storage_unavailable', message: 'gone' }, revision: 'two' });
  await until(() => count.news === 2);
  expect(polls.reports.get(pod.uid)).toMatchObject({ report: { ready: false } });
  vi.advanceTimersByTime(1_000);
  await until(() => asked.length === 3);
  expect(asked).toEqual([null, 'one', null]);
  polls.watch([]);
});

test('a pod whose readiness changes while it holds a poll is polled at once', async () => {
  const { pod, held, asked } = await holdingPod('127.0.76.7');
  const { polls, shared, count } = pollsOfStore();
  polls.watch([pod]);
  await shared.places.settled();
  vi.advanceTimersByTime(1_000);
  await until(() => held.length === 1);
  await shared.places.settled();
  polls.watch([{ ...pod, ready: false }]);
  await until(() => count.news === 2);
  expect(asked).toEqual([null, 'one', null]);
  expect(polls.patienceMs()).toBe(0);
  polls.watch([]);
});

test('beyond the most polls that may be held, a pod is asked for its report at once', async () => {
  const { pod, asked } = await holdingPod('127.0.76.8');
  const { polls, shared } = pollsOfStore();
  shared.held = 2_500;
  polls.watch([pod]);
  for (const pause of [0, 1_000, 2_000, 4_000]) {
    vi.advanceTimersByTime(pause);
    await shared.places.settled();
  }
  expect(asked).toEqual([null, null, null, null]);
  polls.watch([]);
});
