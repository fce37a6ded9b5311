import { expect, test } from 'vitest';
import { summaryOf } from './summary.ts';
import type { WorkerPod } from './worker-pod.ts';

const pod = (name: string, fields: Partial<WorkerPod> = {}): [string, WorkerPod] => [
  `billing/${name}`,
  {
    ...{ uid: name, store: 'billing/orders', state: 'injected', why: '', problem: undefined },
    ...{ owner: undefined, createdAt: 0, labelledAt: undefined, isPinned: false },
    ...fields,
  },
];
const owned = (uid: string) => ({
  owner: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: uid, uid, workload: undefined },
});
const MISSED = { state: 'missed', why: 'it has no sidecar' } as const;

test('pods are counted by their state; skipped ones, and those that the store does not allow, are not', () => {
  const pods = [
    pod('a'),
    pod('b', MISSED),
    pod('c', { state: 'outdated' }),
    pod('d', { state: 'skipped' }),
    pod('e', { ...MISSED, problem: 'the store does not allow the namespace' }),
  ];
  expect(summaryOf(pods, () => false)).toMatchObject({ injected: 1, missed: 1, outdated: 1, notHealed: [] });
});

test('of each owner one pod is named, three in all, in the order of their names', () => {
  const pods = ['z', 'y', 'x', 'w'].flatMap((owner) =>
    ['2', '1'].map((index) => pod(`${owner}-${index}`, { ...MISSED, ...owned(owner) })),
  );
  const { missed, missedPods } = summaryOf(pods, () => false);
  expect(missed).toBe(8);
  expect(missedPods.map(({ name }) => name)).toEqual(['w-1', 'x-1', 'y-1']);
  expect(missedPods[0]).toEqual({
    ...{ namespace: 'billing', name: 'w-1', why: 'it has no sidecar' },
    heal: 'kubectl -n billing rollout restart statefulset/w',
  });
});

test('missed pods of an owner that is left alone are named as such', () => {
  const pods = [
    pod('a', { ...MISSED, ...owned('a') }),
    pod('b', { ...MISSED, ...owned('b') }),
    pod('c', owned('b')),
  ];
  const { notHealed } = summaryOf(pods, (owner) => owner === 'billing/b');
  expect(notHealed.map(({ name }) => name)).toEqual(['b']);
});

test('an owner of another namespace, whose UID a pod has as its own, is left alone there only', () => {
  const missed = { ...MISSED, ...owned('x') };
  const pods = [pod('a', missed), ['copycat/b', pod('b', missed)[1]] as const];
  const { missedPods, notHealed } = summaryOf(pods, (owner) => owner === 'copycat/x');
  expect(missedPods.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(notHealed.map(({ name }) => name)).toEqual(['b']);
});
