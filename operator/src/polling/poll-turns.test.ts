import { expect, test } from 'vitest';
import type { PollHistory } from './poll-pace.ts';
import type { RunningPod } from './poll-pod.ts';
import { dueTimes, type PolledPod } from './poll-turns.ts';

const WELL: PollHistory = {
  ...{
    report: undefined,
    revision: 'r',
    whileReady: true,
    isWell: true,
    silences: 0,
    pauseMs: 0,
    calmPauseMs: 0,
  },
};

function pod(
  name: string,
  endedAtMs: number,
  history: Partial<PollHistory> = {},
  component = 'gateway',
): PolledPod {
  const running = { name, component, ready: true } as unknown as RunningPod;
  return { pod: running, history: { ...WELL, ...history }, endedAtMs };
}
const dueOf = (...pods: readonly PolledPod[]) =>
  Object.fromEntries([...dueTimes(pods)].map(([each, atMs]) => [each.pod.name, atMs]));

test.each<[string, readonly PolledPod[], Record<string, number>]>([
  [
    'of gateways that are well the one that waits longest is due',
    [pod('a', 30), pod('b', 10), pod('c', 20)],
    { b: 30 },
  ],
  [
    'the pause after the latest poll counts, whichever gateway it was of',
    [pod('a', 30, { pauseMs: 5, calmPauseMs: 0 }), pod('b', 10, { pauseMs: 70 })],
    { b: 35 },
  ],
  [
    'a reaper has turns of its own',
    [pod('a', 30), pod('r', 20, { pauseMs: 7, calmPauseMs: 0 }, 'reaper')],
    { a: 30, r: 27 },
  ],
  [
    'a pod that is not well is due after its own pause',
    [pod('a', 30), pod('b', 10, { isWell: false, pauseMs: 4, calmPauseMs: 0 })],
    { a: 30, b: 14 },
  ],
  [
    'a pod whose readiness has changed is due at once',
    [pod('a', 30), pod('b', 10, { whileReady: false })],
    { a: 30, b: 0 },
  ],
  ['a pod that was never polled is due at once', [{ ...pod('a', 0), history: undefined }], { a: 0 }],
])('%s', (_what, pods, due) => {
  expect(dueOf(...pods)).toEqual(due);
});
