import { hostname } from 'node:os';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { describe, expect, test } from 'vitest';
import { rounds } from '../rounds.fixture.ts';
import { assertContent, content, LARGE } from './app/content.ts';
import type { interrupted, Pause } from './app/workflows.ts';
import { assertSmallHistory, eventsOf } from './history.fixture.ts';
import { show } from './summary.fixture.ts';
import { useTestBed } from './workflow-setup.fixture.ts';

describe.each(rounds)('round %i', (round) => {
  const use = useTestBed(`killed-worker-${round}`);
  const taskQueue = `killed worker ${round}`;

  test('another worker goes on from references when a worker is killed in the middle of a workflow', async () => {
    const { bed } = use;
    const client = bed.client();
    const killed = await bed.startWorker({ taskQueue });
    const started = performance.now();
    const handle = await client.workflow.start<typeof interrupted>('interrupted', {
      workflowId: taskQueue,
      taskQueue,
      args: [content('input')],
    });
    await eventualValue(async () => (await handle.query<Pause>('pause')).isReached || undefined);
    expect(await handle.query<Pause>('pause')).toEqual({ isReached: true, isReplayed: false });
    await killed.stop('SIGKILL');
    const readBefore = await bed.service.sum('payload_store_get_total');

    const next = await bed.startWorker({ taskQueue });
    // The new worker has only the history, and the payloads that it refers to.
    expect(await handle.query<Pause>('pause')).toEqual({ isReached: true, isReplayed: true });
    expect(await bed.service.sum('payload_store_get_total')).toBeGreaterThanOrEqual(readBefore + 2);
    await handle.signal('goOn');
    assertContent('return value', await handle.result());

    const completed = eventsOf(await handle.fetchHistory(), 'EVENT_TYPE_ACTIVITY_TASK_COMPLETED');
    expect(completed.map((event) => event.activityTaskCompletedEventAttributes?.identity)).toEqual(
      [killed, next].map(({ pid }) => `${pid}@${hostname()}`),
    );
    show({
      what: 'worker killed in mid-workflow',
      payloads: `4 x ${LARGE / 1e6} MB`,
      historyBytes: await assertSmallHistory(handle),
      seconds: (performance.now() - started) / 1_000,
      outcome: 'replayed by another process, completed',
    });
  });
});
