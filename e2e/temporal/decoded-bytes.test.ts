import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { content, LARGE } from './app/content.ts';
import type { collect } from './app/workflows.ts';
import { assertSmallHistory, eventsOf } from './history.fixture.ts';
import { show } from './summary.fixture.ts';
import { useTestBed } from './workflow-setup.fixture.ts';

const use = useTestBed('decoded-bytes');
const signals = 10;
const limited = (payloads: number) => ({ LARGE_PAYLOAD_MAX_DECODED_BYTES: String(payloads * LARGE) });

test('a workflow task with more bytes than a worker may decode goes on when the limit is raised', async () => {
  const { bed } = use;
  const started = performance.now();
  const taskQueue = 'decoded bytes';
  const handle = await bed.client().workflow.start<typeof collect>('collect', {
    workflowId: taskQueue,
    taskQueue,
    args: [signals],
  });
  // Without a worker the signals wait, so the first workflow task gets all of them.
  for (let signal = 1; signal <= signals; signal += 1) await handle.signal('deliver', content('document'));
  const limitedWorker = await bed.startWorker({ taskQueue, env: limited(signals - 1) });
  const { status } = await eventualValue(async () => {
    const description = await handle.describe();
    return (description.raw.pendingWorkflowTask?.attempt ?? 0) >= 2 ? description : undefined;
  });
  expect(status.name).toBe('RUNNING');
  const [failed] = eventsOf(await handle.fetchHistory(), 'EVENT_TYPE_WORKFLOW_TASK_FAILED');
  expect(failed?.workflowTaskFailedEventAttributes?.failure).toMatchObject({
    message: expect.stringContaining('raise the option maxDecodedBytes'),
  });
  await limitedWorker.stop();

  await bed.startWorker({ taskQueue, env: limited(signals) });
  expect(await handle.result()).toBe(signals * LARGE);
  show({
    what: 'more to decode than the limit',
    payloads: `${signals} x ${LARGE / 1e6} MB`,
    historyBytes: await assertSmallHistory(handle),
    seconds: (performance.now() - started) / 1_000,
    outcome: 'stays Running; completed with a higher limit',
  });
});
