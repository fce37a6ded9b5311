import { expect, test } from 'vitest';
import { ApiError, type KubernetesObject } from './api.ts';
import { clusterUID } from './cluster-name.ts';

const NEVER = new AbortController().signal;
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system', uid: 'uid-1' } };

const answering = (...answers: (KubernetesObject | Error | undefined)[]) => ({
  get: async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  },
});

test('the name of a cluster is the UID of kube-system, also where the API server fails for a while', async () => {
  const failure = new ApiError('no answer', { status: 0 });
  expect(await clusterUID(answering(failure, namespace), NEVER, 1)).toBe('uid-1');
});

test('without the right to read it the cluster has no name', async () => {
  expect(await clusterUID(answering(new ApiError('forbidden', { status: 403 })), NEVER, 1)).toBeUndefined();
});
