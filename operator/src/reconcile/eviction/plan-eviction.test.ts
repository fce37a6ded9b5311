import { expect, test } from 'vitest';
import { type OwnerPod, type OwnerSituation, planEviction } from './plan-eviction.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const HOUR = 3_600_000;
const AT = NOW - 30_000;

const pod = (name: string, fields: Partial<OwnerPod> = {}): OwnerPod => ({
  ...{ key: `billing/${name}`, uid: name, isMissed: false, isCandidate: false, isReady: true },
  createdAt: NOW - HOUR,
  ...fields,
});
const missed = (name: string, fields: Partial<OwnerPod> = {}) =>
  pod(name, { isMissed: true, isCandidate: true, isReady: false, ...fields });
const YOUNG = { createdAt: AT + 1_000 };
const UNREADY = { ...YOUNG, isReady: false };

const situation = (pods: readonly OwnerPod[], others: Partial<OwnerSituation> = {}): OwnerSituation => ({
  ...{ pods, latest: undefined, labelledAt: NOW - HOUR, isRefused: false, now: NOW },
  ...others,
});
const evicted = (...known: string[]) => ({ latest: { at: AT, known: new Set(known) } });

test.each<[when: string, OwnerSituation, expected: object]>([
  ['no pod is missed', situation([pod('a')]), { kind: 'nothing' }],
  [
    'the missed pods may not be evicted',
    situation([missed('a', { isCandidate: false })]),
    { kind: 'nothing' },
  ],
  [
    'some pods are missed: the oldest first',
    situation([missed('b', { createdAt: NOW - HOUR + 1_000 }), missed('a'), pod('c')]),
    { kind: 'evict', pod: { uid: 'a' } },
  ],
  [
    'missed pods are as old as each other: the first by name',
    situation([missed('b'), missed('a')]),
    { kind: 'evict', pod: { uid: 'a' } },
  ],
  ['an eviction was refused a moment ago', situation([missed('a')], { isRefused: true }), { kind: 'wait' }],
  [
    'the pod in the place of the evicted one is not there yet',
    situation([missed('b')], evicted('a', 'b')),
    { kind: 'wait' },
  ],
  [
    'the evicted pod is still shown, and none has taken its place',
    situation([missed('a'), missed('b', YOUNG)], evicted('a', 'b')),
    { kind: 'wait' },
  ],
  [
    'the new pod is not ready',
    situation([missed('b'), pod('c', UNREADY)], evicted('a', 'b')),
    { kind: 'look', pods: [{ uid: 'c' }] },
  ],
  [
    'the new pod is ready',
    situation([missed('b'), pod('c', YOUNG)], evicted('a', 'b')),
    { kind: 'evict', pod: { uid: 'b' } },
  ],
  [
    'a pod of a rollout by others is not ready',
    situation([missed('a'), pod('b', UNREADY)]),
    { kind: 'look', pods: [{ uid: 'b' }] },
  ],
  [
    'an old pod is not ready, which is nothing new',
    situation([missed('a'), pod('b', { isReady: false })]),
    { kind: 'evict', pod: { uid: 'a' } },
  ],
  [
    'other missed pods are not ready, which an eviction may heal',
    situation([missed('a'), missed('b', UNREADY)]),
    { kind: 'evict', pod: { uid: 'a' } },
  ],
  [
    'the new pod is missed, too',
    situation([missed('b'), missed('c', YOUNG)], evicted('a', 'b')),
    { kind: 'leaveAlone' },
  ],
  [
    'the new pod is missed, and may not be evicted itself',
    situation([missed('b'), missed('c', { ...YOUNG, isCandidate: false })], evicted('a', 'b')),
    { kind: 'leaveAlone' },
  ],
  [
    'the label has changed since the new pod was missed',
    situation([missed('b'), missed('c', YOUNG)], { ...evicted('a', 'b'), labelledAt: NOW - 10_000 }),
    { kind: 'evict', pod: { uid: 'b' } },
  ],
  [
    'an earlier process has recorded the eviction, and its new pod was missed',
    situation([missed('b'), missed('c', YOUNG)], evicted()),
    { kind: 'leaveAlone' },
  ],
])('the next step is as expected when %s', (_when, given, expected) => {
  expect(planEviction(given)).toMatchObject(expected);
});
