import { expect, test } from 'vitest';
import { ownerOf, restartAdvice } from './pod-owner.ts';

const metadata = (kind: string, name: string, labels = {}) => ({
  labels,
  ownerReferences: [
    { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'n' },
    { apiVersion: 'apps/v1', kind, name, uid: 'u', controller: true },
  ],
});

test.each<[what: string, metadata: object, advice: string]>([
  [
    'a Deployment',
    metadata('ReplicaSet', 'worker-7d9f', { 'pod-template-hash': '7d9f' }),
    'kubectl -n billing rollout restart deployment/worker',
  ],
  [
    'a Rollout of Argo',
    metadata('ReplicaSet', 'worker-7d9f', { 'rollouts-pod-template-hash': '7d9f' }),
    'kubectl argo rollouts -n billing restart worker',
  ],
  ['a ReplicaSet of its own', metadata('ReplicaSet', 'worker'), 'kubectl -n billing delete pod worker-1'],
  [
    'a StatefulSet',
    metadata('StatefulSet', 'worker'),
    'kubectl -n billing rollout restart statefulset/worker',
  ],
  ['a DaemonSet', metadata('DaemonSet', 'worker'), 'kubectl -n billing rollout restart daemonset/worker'],
  ['a Job', metadata('Job', 'worker'), 'the next Job has one; delete this one to run it again'],
  ['another controller', metadata('Workflow', 'worker'), 'kubectl -n billing delete pod worker-1'],
  ['nothing', { labels: {} }, 'delete the pod and make it again'],
])('a pod of %s is made anew by the command for that', (_what, given, advice) => {
  expect(restartAdvice('billing', 'worker-1', ownerOf(given))).toBe(advice);
});

test('an owner that does not control the pod, or has no usable reference, is none', () => {
  expect(ownerOf({ ownerReferences: [{ kind: 'ReplicaSet', name: 'a', uid: 'b' }] })).toBeUndefined();
  expect(ownerOf({ ownerReferences: 'x' })).toBeUndefined();
  const endless = { kind: 'ReplicaSet', name: 'a'.repeat(1_000_000), uid: 'b', controller: true };
  expect(ownerOf({ ownerReferences: [endless] })).toBeUndefined();
  expect(ownerOf(undefined)).toBeUndefined();
});
