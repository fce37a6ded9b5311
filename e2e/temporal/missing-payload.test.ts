import { existsSync, renameSync } from 'node:fs';
import { storedFile } from '@largepayload/testing/service/stored-file';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import type { Payload } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { rounds } from '../rounds.fixture.ts';
import { assertContent, content, LARGE } from './app/content.ts';
import type { interrupted, Pause } from './app/workflows.ts';
import { assertSmallHistory, eventsOf, retriesOf } from './history.fixture.ts';
import { show } from './summary.fixture.ts';
import { useTestBed } from './workflow-setup.fixture.ts';

describe.each(rounds)('round %i', (round) => {
  const taskQueue = `missing payload ${round}`;
  const use = useTestBed(`missing-payload-${round}`);

  test('a workflow whose payload is missing goes on when the payload is back', async () => {
    const { bed } = use;
    const started = performance.now();
    const first = await bed.startWorker({ taskQueue });
    const handle = await bed.client().workflow.start<typeof interrupted>('interrupted', {
      workflowId: taskQueue,
      taskQueue,
      args: [content('input')],
    });
    await eventualValue(async () => (await handle.query<Pause>('pause')).isReached || undefined);
    await first.stop();
    const [completed] = eventsOf(await handle.fetchHistory(), 'EVENT_TYPE_ACTIVITY_TASK_COMPLETED');
    const reference = completed?.activityTaskCompletedEventAttributes?.result?.payloads?.[0] as Payload;
    const file = storedFile(bed.dataFolder, reference);
    expect(existsSync(file)).toBe(true);
    renameSync(file, `${bed.dataFolder}/aside`);

    await bed.startWorker({ taskQueue });
    await handle.signal('goOn');
    const { status } = await eventualValue(async () => {
      const description = await handle.describe();
      return (description.raw.pendingWorkflowTask?.attempt ?? 0) >= 3 ? description : undefined;
    });
    expect(status.name).toBe('RUNNING');
    const [failed] = eventsOf(await handle.fetchHistory(), 'EVENT_TYPE_WORKFLOW_TASK_FAILED');
    const failure = failed?.workflowTaskFailedEventAttributes?.failure;
    expect(failure?.message).toContain('key_not_found');

    renameSync(`${bed.dataFolder}/aside`, file);
    assertContent('return value', await handle.result());
    const { workflowTaskAttempt } = retriesOf(await handle.fetchHistory());
    show({
      what: 'payload missing for a while',
      payloads: `${LARGE / 1e6} MB`,
      historyBytes: await assertSmallHistory(handle),
      seconds: (performance.now() - started) / 1_000,
      outcome: `stays Running with "${failure?.message?.slice(0, 46)}…"; completed at attempt ${workflowTaskAttempt}`,
    });
  });
});
