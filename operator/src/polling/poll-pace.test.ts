import type { ReadStatusReport } from '@largepayload/crds';
import { expect, test } from 'vitest';
import type { PodReport } from '../stores/observed.ts';
import { afterHold, afterPoll, type PollHistory } from './poll-pace.ts';

const report = (fields: Partial<ReadStatusReport>): PodReport => ({
  report: {
    ...{ store: 'shop/orders', storageID: undefined, version: '', ready: true },
    ...{ error: undefined, reaper: undefined, ...fields },
  },
});
const WELL = report({});
const ILL = report({ ready: false, error: { code: 'storage_full', message: '' } });
const SILENCE: PodReport = { unreachable: 'it did not answer within 5 s' };

const QUICK = { whileReady: true, tookMs: 10 };

/** The history after each of these reports, of a pod that does not know revisions. */
function historiesAfter(...reports: readonly PodReport[]): readonly PollHistory[] {
  const histories: PollHistory[] = [];
  for (const report of reports)
    histories.push(afterPoll(histories.at(-1), { report, revision: undefined }, QUICK));
  return histories;
}
const pausesOf = (...reports: readonly PodReport[]) =>
  historiesAfter(...reports).map(({ pauseMs }) => pauseMs / 1_000);

test('a pod that is not well is polled again after 1, 2, 4, 8, then every 15 s, and an old one that is well every two minutes', () => {
  expect(pausesOf(ILL, ILL, ILL, ILL, ILL, ILL, WELL, WELL, ILL)).toEqual([1, 2, 4, 8, 15, 15, 120, 120, 1]);
});

test('a pod that stays silent is polled ever more rarely, at last every two minutes', () => {
  const silence = Array(9).fill(SILENCE);
  expect(pausesOf(...silence, ILL)).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120, 15]);
});

test('a silent pod is polled soon again once its readiness has changed', () => {
  const [history] = historiesAfter(...Array(9).fill(SILENCE)).slice(-1);
  expect(history?.pauseMs).toBe(120_000);
  const result = { report: SILENCE, revision: undefined };
  expect(afterPoll(history, result, { whileReady: false, tookMs: 10 }).pauseMs).toBe(1_000);
});

test('a reaper counts as well once it has completed a pass', () => {
  const reaper = (lastCompleted: number | undefined, lastError?: string) =>
    report({ reaper: { lastCompleted, lastError } });
  expect(pausesOf(reaper(undefined), reaper(1), reaper(1, 'denied'))).toEqual([1, 120, 1]);
});

test('a pod that misses a poll or two keeps its last report, or none', () => {
  const kept = (...reports: readonly PodReport[]) => historiesAfter(...reports).map(({ report }) => report);
  expect(kept(WELL, SILENCE, SILENCE, SILENCE, ILL)).toEqual([WELL, WELL, WELL, SILENCE, ILL]);
  expect(kept(SILENCE, SILENCE, WELL, SILENCE)).toEqual([undefined, undefined, WELL, WELL]);
});

/** The pauses of a pod that is well and knows revisions, after polls that took so long. */
function pausesAfter(...times: readonly (number | 'held to its end')[]): readonly number[] {
  let history: PollHistory | undefined;
  return times.map((tookMs) => {
    history =
      tookMs === 'held to its end' && history !== undefined
        ? afterHold(history)
        : afterPoll(history, { report: WELL, revision: 'r' }, { whileReady: true, tookMs: Number(tookMs) });
    return history.pauseMs / 1_000;
  });
}

test('a pod that holds polls is polled again at once', () => {
  expect(pausesAfter(10, 600_000, 45_000, 'held to its end')).toEqual([1, 0, 0, 0]);
});

test('a pod that answers at once, though it knows revisions, is polled ever more rarely', () => {
  expect(pausesAfter(...Array(10).fill(10), 'held to its end', 10, 10)).toEqual([
    ...[1, 2, 4, 8, 16, 32, 64, 120, 120, 120],
    ...[0, 1, 2],
  ]);
});

test('a pod that breaks off each poll which it should hold is polled ever more rarely', () => {
  let history: PollHistory | undefined;
  const pauses = Array.from({ length: 20 }, (_, index) => {
    const report = index % 2 === 0 ? WELL : SILENCE;
    history = afterPoll(history, { report, revision: index % 2 === 0 ? 'r' : undefined }, QUICK);
    return history.pauseMs / 1_000;
  });
  expect(pauses.filter((_, index) => index % 2 === 0)).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120, 120]);
  expect(pauses.filter((_, index) => index % 2 === 1)).toEqual(Array(10).fill(1));
});
