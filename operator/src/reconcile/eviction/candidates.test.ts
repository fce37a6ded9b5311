import { expect, test } from 'vitest';
import type { WorkerPod } from '../../cluster/workers/worker-pod.ts';
import { isCandidate } from './candidates.ts';

const LABELLED = Date.parse('2026-06-01T12:00:00Z');
const owner = (kind: string, apiVersion = 'apps/v1') => ({
  owner: { kind, apiVersion, name: 'worker', uid: 'u', workload: undefined },
});
const pod = (fields: Partial<WorkerPod> = {}): WorkerPod => ({
  ...{ uid: 'p', store: 'billing/orders', state: 'missed', why: '', problem: undefined, isPinned: false },
  ...{ createdAt: LABELLED + 1_000, labelledAt: undefined },
  ...owner('ReplicaSet'),
  ...fields,
});

test.each<[what: string, WorkerPod, expected: boolean]>([
  ['a missed pod of a Deployment', pod(), true],
  ['a missed pod of a StatefulSet', pod(owner('StatefulSet')), true],
  ['a missed pod of a DaemonSet', pod(owner('DaemonSet')), true],
  ['a missed pod of a ReplicationController', pod(owner('ReplicationController', 'v1')), true],
  ['a pod of a Job, whose work would be lost', pod(owner('Job', 'batch/v1')), false],
  ['a pod of a controller that is not known', pod(owner('ReplicaSet', 'example.com/v1')), false],
  ['a pod that nothing would make anew', pod({ owner: undefined }), false],
  ['a pod with a sidecar', pod({ state: 'injected' }), false],
  ['a pod with an outdated sidecar', pod({ state: 'outdated' }), false],
  ['a pod that is skipped on purpose', pod({ state: 'skipped' }), false],
  ['a pod whose store does not exist or does not allow it', pod({ problem: 'x' }), false],
  ['a pod that asks to stay', pod({ isPinned: true }), false],
])('%s', (_what, given, expected) => {
  expect(isCandidate(given, 'All', undefined)).toBe(expected);
  expect(isCandidate(given, 'CreatedAfterLabel', LABELLED)).toBe(expected);
});

test.each<[what: string, WorkerPod, labelledAt: number | undefined, expected: boolean]>([
  ['of before the label of its namespace', pod({ createdAt: LABELLED - 1_000 }), LABELLED, false],
  ['of the same second as the label of its namespace', pod({ createdAt: LABELLED }), LABELLED, false],
  ['of a namespace whose label has no known time', pod(), undefined, false],
  ['that came with its own label', pod({ labelledAt: LABELLED + 1_000 }), undefined, true],
  ['that got its own label later', pod({ labelledAt: LABELLED + 2_000 }), LABELLED, false],
])('where only later pods are evicted, a pod %s', (_what, given, labelledAt, expected) => {
  expect(isCandidate(given, 'CreatedAfterLabel', labelledAt)).toBe(expected);
  expect(isCandidate(given, 'All', labelledAt)).toBe(true);
});
