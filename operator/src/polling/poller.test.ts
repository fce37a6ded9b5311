import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PodQuestions } from './poll-places.ts';
import type { RunningPod } from './poll-pod.ts';
import { PodReports } from './poller.ts';
import { json, NEVER, NOT_READY, podAt, READY } from './running-pods.fixture.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The reports of a store, looked at when the test says so. */
function reportsOf() {
  const questions = new PodQuestions();
  const again: number[] = [];
  const reports = new PodReports({ questions, answered: (after) => again.push(after) });
  /** Looks, and waits until who was asked has answered. */
  const look = async (...pods: readonly RunningPod[]) => {
    reports.look(pods, NEVER);
    await questions.settled();
  };
  return { reports, questions, again, look };
}

/** A pod, and how often it was asked. */
async function countingPod(ip: string, status: () => object = () => NOT_READY) {
  const count = { asked: 0 };
  const pod = await podAt(
    ip,
    json(() => {
      count.asked++;
      return status();
    }),
  );
  return { pod, count };
}

test('asks nobody before the time has come, and says when that is', async () => {
  const { pod, count } = await countingPod('127.0.77.1');
  const { reports, again, look } = reportsOf();
  await look(pod);
  expect(reports.answers.get(pod.uid)).toMatchObject({ report: { ready: false, error: NOT_READY.error } });
  expect(reports.nextAt - performance.now()).toBe(1_000);
  vi.advanceTimersByTime(999);
  await look(pod);
  expect(count.asked).toBe(1);
  vi.advanceTimersByTime(1);
  await look(pod);
  expect(count.asked).toBe(2);
  // The first is news, the second is the same again.
  expect(again).toEqual([0, 2_000]);
});

test('asks at once what Kubernetes calls ready meanwhile, and then no more often than others', async () => {
  const { pod, count } = await countingPod('127.0.77.2');
  const { reports, again, look } = reportsOf();
  await look(pod);
  reports.look([{ ...pod, ready: true }], NEVER);
  expect(reports.areBehind).toBe(true);
  await look({ ...pod, ready: true });
  expect(reports.areBehind).toBe(false);
  for (let looks = 0; looks < 5; looks++) await look({ ...pod, ready: true });
  expect(count.asked).toBe(2);
  // It was waited for, though it says the same.
  expect(again).toEqual([0, 0]);
});

test('what changes while a question is under way is asked afterwards', async () => {
  const { pod, count } = await countingPod('127.0.77.3');
  const { reports, again, look } = reportsOf();
  reports.look([pod], NEVER);
  await look({ ...pod, ready: true });
  expect([count.asked, again, reports.areBehind]).toEqual([1, [0], true]);
  await look({ ...pod, ready: true });
  expect([count.asked, again, reports.areBehind]).toEqual([2, [0, 0], false]);
});

test('news of a pod is told at once', async () => {
  let status: object = NOT_READY;
  const { pod } = await countingPod('127.0.77.4', () => status);
  const { reports, again, look } = reportsOf();
  await look(pod);
  status = READY;
  vi.advanceTimersByTime(1_000);
  await look(pod);
  expect(reports.answers.get(pod.uid)).toMatchObject({ report: { ready: true, store: 'shop/orders' } });
  expect(again).toEqual([0, 0]);
  vi.advanceTimersByTime(120_000);
  await look(pod);
  expect(again).toEqual([0, 0, 120_000]);
});

test('forgets pods that have gone or ended, and asks a container that was started again', async () => {
  const { pod, count } = await countingPod('127.0.77.5', () => READY);
  const { reports, look } = reportsOf();
  await look(pod);
  expect(reports.answers.size).toBe(1);
  await look({ ...pod, runningSince: undefined });
  expect(reports.answers.size).toBe(0);
  await look(pod);
  await look({ ...pod, restarts: 1 });
  expect(count.asked).toBe(3);
  await look();
  expect(reports.answers.size).toBe(0);
  expect(reports.nextAt).toBe(Number.POSITIVE_INFINITY);
});

test('the answer of a pod that has gone meanwhile is nothing', async () => {
  const { pod } = await countingPod('127.0.77.6');
  const { reports, again, look } = reportsOf();
  reports.look([pod], NEVER);
  await look();
  expect([reports.answers.size, again]).toEqual([0, []]);
});

test('a silent pod that Kubernetes calls ready now waits no longer with those that are silent', async () => {
  const pod = await podAt('127.0.77.7');
  const { reports, questions, again, look } = reportsOf();
  await look(pod);
  vi.advanceTimersByTime(1_000);
  const ends: (() => void)[] = [];
  const asked: string[] = [];
  const ask = (name: string) => () => {
    // Whether the pod had been asked by then.
    asked.push(`${name} after ${again.length}`);
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  for (let count = 0; count < 20; count++) questions.put({ wasSilent: false, ask: ask('busy') });
  reports.look([pod], NEVER);
  reports.look([{ ...pod, ready: true }], NEVER);
  questions.put({ wasSilent: false, ask: ask('later') });
  ends.shift()?.();
  await vi.waitFor(() => expect(asked).toHaveLength(21));
  expect(asked.at(-1)).toBe('later after 2');
  expect(reports.areBehind).toBe(false);
  while (ends.length > 0) ends.shift()?.();
  await questions.settled();
});
