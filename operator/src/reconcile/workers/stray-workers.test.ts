import { expect, test } from 'vitest';
import type { WorkerPod } from '../../cluster/workers/worker-pod.ts';
import { StrayWorkers } from './stray-workers.ts';

const pod = (uid: string, problem?: string): [string, WorkerPod] => [
  `billing/${uid}`,
  {
    ...{ uid, store: undefined, state: 'missed', why: '', problem, owner: undefined },
    ...{ createdAt: 0, labelledAt: undefined, isPinned: false },
  },
];

function bed() {
  const recorded: string[] = [];
  const stray = new StrayWorkers({
    record: ({ metadata }, { reason, note }) => recorded.push(`${metadata.uid} ${reason}: ${note}`),
  });
  return { recorded, stray };
}

test('a pod that no store can report gets one Event, and one more when it is made anew', () => {
  const { recorded, stray } = bed();
  const problem = 'the store orders of namespace shop does not exist';
  for (let n = 0; n < 3; n += 1) expect(stray.record([pod('a', problem), pod('well')])).toBe(false);
  expect(recorded).toEqual([`a NotInjected: ${problem}`]);
  stray.record([pod('b', problem)]);
  expect(recorded).toHaveLength(2);
});

test('of many such pods only some get their Events at a time, and each in the end', () => {
  const { recorded, stray } = bed();
  const pods = Array.from({ length: 25 }, (_, index) => pod(`${index}`, 'there is no such store'));
  const more = Array.from({ length: 4 }, () => stray.record(pods));
  expect(more).toEqual([true, true, false, false]);
  expect(recorded).toHaveLength(25);
});
