import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PollPlaces } from './poll-places.ts';
import type { RunningPod } from './poll-pod.ts';
import { json, NOT_READY, podAt, READY } from './running-pods.fixture.ts';
import { StorePolls } from './store-polls.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The polls of a store, and how often they had news. */
function pollsOfStore() {
  const places = new PollPlaces();
  const count = { news: 0 };
  const polls = new StorePolls({ places, held: 0 }, () => {
    count.news++;
  });
  /** Watches, and waits until the pods that were polled have answered. */
  const watch = async (...pods: readonly RunningPod[]) => {
    polls.watch(pods);
    await places.settled();
  };
  /** Lets time pass, and waits as well. */
  const pass = async (ms: number) => {
    vi.advanceTimersByTime(ms);
    await places.settled();
  };
  const isBehind = () => polls.patienceMs() > 0;
  return { polls, places, count, watch, pass, isBehind };
}

/** A pod, and how often it was polled. */
async function countingPod(ip: string, status: () => object = () => NOT_READY) {
  const count = { polls: 0 };
  const pod = await podAt(
    ip,
    json(() => {
      count.polls++;
      return status();
    }),
  );
  return { pod, count };
}

test('a pod that is not well is polled again when its time has come, and not before', async () => {
  const { pod, count } = await countingPod('127.0.77.1');
  const { polls, watch, pass } = pollsOfStore();
  await watch(pod);
  expect(polls.reports.get(pod.uid)).toMatchObject({ report: { ready: false, error: NOT_READY.error } });
  await pass(999);
  expect(count.polls).toBe(1);
  await pass(1);
  expect(count.polls).toBe(2);
  await pass(1_999);
  expect(count.polls).toBe(2);
  await pass(1);
  expect(count.polls).toBe(3);
});

test('a pod that becomes ready is polled at once, and then no more often than others', async () => {
  const { pod, count } = await countingPod('127.0.77.2');
  const { polls, count: news, watch, isBehind } = pollsOfStore();
  await watch(pod);
  polls.watch([{ ...pod, ready: true }]);
  expect(isBehind()).toBe(true);
  await watch({ ...pod, ready: true });
  expect(isBehind()).toBe(false);
  for (let looks = 0; looks < 5; looks++) await watch({ ...pod, ready: true });
  expect(count.polls).toBe(2);
  // It was waited for, though the report is the same.
  expect(news.news).toBe(2);
});

test('a pod that becomes ready during a poll is polled again after it', async () => {
  const { pod, count } = await countingPod('127.0.77.3');
  const { polls, count: news, watch, isBehind } = pollsOfStore();
  polls.watch([pod]);
  await watch({ ...pod, ready: true });
  expect([count.polls, news.news, isBehind()]).toEqual([2, 2, false]);
});

test('each change is news at once, and an unchanged pod is news only while it is not well', async () => {
  let status: object = NOT_READY;
  const { pod, count } = await countingPod('127.0.77.4', () => status);
  const { polls, count: news, watch, pass } = pollsOfStore();
  await watch(pod);
  await pass(1_000);
  expect([count.polls, news.news]).toEqual([2, 2]);
  status = READY;
  await pass(2_000);
  expect(polls.reports.get(pod.uid)).toMatchObject({ report: { ready: true, store: 'shop/orders' } });
  expect(news.news).toBe(3);
  await pass(120_000);
  expect([count.polls, news.news]).toEqual([4, 3]);
});

test('a pod that has gone or ended is forgotten, and a container that was started again is polled', async () => {
  const { pod, count } = await countingPod('127.0.77.5', () => READY);
  const { polls, watch, pass } = pollsOfStore();
  await watch(pod);
  expect(polls.reports.size).toBe(1);
  await watch({ ...pod, runningSince: undefined });
  expect(polls.reports.size).toBe(0);
  await watch(pod);
  await watch({ ...pod, restarts: 1 });
  expect(count.polls).toBe(3);
  await watch();
  expect(polls.reports.size).toBe(0);
  await pass(600_000);
  expect(count.polls).toBe(3);
});

test('the answer of a pod that has gone meanwhile changes nothing', async () => {
  const { pod } = await countingPod('127.0.77.6');
  const { polls, count, watch } = pollsOfStore();
  polls.watch([pod]);
  await watch();
  expect([polls.reports.size, count.news]).toEqual([0, 0]);
});

test('a silent pod that becomes ready waits no longer with silent pods', async () => {
  const pod = await podAt('127.0.77.7');
  const { polls, places, count, watch, isBehind } = pollsOfStore();
  await watch(pod);
  const ends: (() => void)[] = [];
  const begun: string[] = [];
  const begin = (name: string) => () => {
    // How many polls of the pod were over by then.
    begun.push(`${name} after ${count.news}`);
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  for (let busy = 0; busy < 20; busy++) places.put({ store: {}, wasSilent: false, begin: begin('busy') });
  vi.advanceTimersByTime(1_000);
  polls.watch([{ ...pod, ready: true }]);
  places.put({ store: {}, wasSilent: false, begin: begin('later') });
  ends.shift()?.();
  await vi.waitFor(() => expect(begun).toHaveLength(21));
  expect(begun.at(-1)).toBe('later after 2');
  expect(isBehind()).toBe(false);
  while (ends.length > 0) ends.shift()?.();
  await places.settled();
});
