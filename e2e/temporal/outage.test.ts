import { setTimeout as sleep } from 'node:timers/promises';
import type { Program } from '@largepayload/testing/processes/program';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import type { WorkflowHandle } from '@temporalio/client';
import { beforeAll, describe, expect, test } from 'vitest';
import { rounds } from '../rounds.fixture.ts';
import { assertContent, LARGE } from './app/content.ts';
import type { carry, late, lateFailure, steady } from './app/workflows.ts';
import { assertSmallHistory, eventsOf, retriesOf } from './history.fixture.ts';
import { show } from './summary.fixture.ts';
import { useTestBed } from './workflow-setup.fixture.ts';

const OUTAGE_SECONDS = 20;
/** From the start of the outage. */
const LATE_SECONDS = 5;

describe.each(rounds)(`while the store is gone for ${OUTAGE_SECONDS} s, round %i`, (round) => {
  const use = useTestBed(`outage-${round}`);
  const taskQueue = `outage ${round}`;
  const failuresQueue = `failures in outage ${round}`;
  let workers: readonly Program[];
  let steadyOne: WorkflowHandle<typeof steady>;
  let endingOne: WorkflowHandle<typeof carry>;
  let lateOne: WorkflowHandle<typeof late>;
  let lateFailureOne: WorkflowHandle<typeof lateFailure>;

  beforeAll(async () => {
    const { bed } = use;
    const { workflow } = bed.client();
    workers = [await bed.startWorker({ taskQueue }), await bed.startWorker({ taskQueue: failuresQueue })];
    const named = (name: string) => ({ workflowId: `${name} in outage ${round}`, taskQueue });
    steadyOne = await workflow.start<typeof steady>('steady', { ...named('steps'), args: [5] });
    endingOne = await workflow.start<typeof carry>('carry', {
      ...named('end'),
      args: [{ ways: ['return value'], activitySeconds: 60 }],
    });
    await eventualValue(async () => (await activitiesCompletedBy(steadyOne)) >= 3 || undefined);
    lateOne = await workflow.start<typeof late>('late', { ...named('late'), args: [LATE_SECONDS] });
    lateFailureOne = await workflow.start<typeof lateFailure>('lateFailure', {
      ...named('late failure'),
      taskQueue: failuresQueue,
      args: [LATE_SECONDS],
    });
    for (const handle of [lateOne, lateFailureOne]) {
      await eventualValue(async () => (await handle.describe()).raw.pendingActivities?.length || undefined);
    }

    await bed.stopService();
    await endingOne.signal('finish');
    await sleep(OUTAGE_SECONDS * 1_000);
    for (const handle of [steadyOne, endingOne, lateOne, lateFailureOne]) {
      expect((await handle.describe()).status.name).toBe('RUNNING');
    }
    await bed.startService();
  });

  test('a workflow in the middle of its steps completes', async () => {
    await steadyOne.result();
    await shows(steadyOne, 'steps through an outage', 10);
  });

  test('a workflow that returns meanwhile retries until its result is stored', async () => {
    assertContent('return value', await endingOne.result());
    const { workflowTasksFailed } = await shows(endingOne, 'workflow returns in an outage', 1);
    expect(workflowTasksFailed).toBeGreaterThan(0);
  });

  test('an activity that ends meanwhile is not run again', async () => {
    assertContent('late', await lateOne.result());
    const { activityAttempt } = await shows(lateOne, 'activity ends in an outage', 1);
    expect(activityAttempt).toBe(1);
  });

  test('an activity that fails with large details meanwhile delivers them', async () => {
    await lateFailureOne.result();
    await shows(lateFailureOne, 'activity fails in an outage', 1);
  });

  test('no worker ends', () => {
    expect(workers.map((worker) => worker.isRunning)).toEqual([true, true]);
  });
});

async function activitiesCompletedBy(handle: WorkflowHandle): Promise<number> {
  return eventsOf(await handle.fetchHistory(), 'EVENT_TYPE_ACTIVITY_TASK_COMPLETED').length;
}

async function shows(handle: WorkflowHandle, what: string, payloads: number) {
  const { executionTime, closeTime } = await handle.describe();
  const retries = retriesOf(await handle.fetchHistory());
  show({
    what,
    payloads: `${payloads} x ${LARGE / 1e6} MB`,
    historyBytes: await assertSmallHistory(handle),
    seconds: (Number(closeTime) - Number(executionTime)) / 1_000,
    outcome:
      `completed; workflow task: ${retries.workflowTasksFailed} failures, ` +
      `${retries.workflowTasksTimedOut} timeouts in history, attempt ${retries.workflowTaskAttempt}` +
      (retries.activityAttempt === 0 ? '' : `; activity: attempt ${retries.activityAttempt}`),
  });
  return retries;
}
