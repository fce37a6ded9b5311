import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { assertContent, content, LARGE } from './app/content.ts';
import type { relay } from './app/workflows.ts';
import { assertSmallHistory, eventsOf } from './history.fixture.ts';
import { routelessProxy } from './routeless-proxy.fixture.ts';
import { show } from './summary.fixture.ts';
import { useTestBed } from './workflow-setup.fixture.ts';

const use = useTestBed('proxy');

test("a proxy's 404 fails workflow tasks, but no workflow", async () => {
  const { bed } = use;
  const started = performance.now();
  const taskQueue = 'proxy without a route';
  await using proxy = await routelessProxy(bed.serviceUrl);
  const worker = await bed.startWorker({ taskQueue, env: { LARGE_PAYLOAD_SERVICE_URL: proxy.url } });
  const handle = await bed.client().workflow.start<typeof relay>('relay', {
    workflowId: taskQueue,
    taskQueue,
    args: [1, 1, content('input of run 1')],
  });
  const { status } = await eventualValue(async () => {
    const description = await handle.describe();
    return (description.raw.pendingWorkflowTask?.attempt ?? 0) >= 2 ? description : undefined;
  });
  expect(status.name).toBe('RUNNING');
  expect(proxy.refused).toBeGreaterThan(3);
  const [failed] = eventsOf(await handle.fetchHistory(), 'EVENT_TYPE_WORKFLOW_TASK_FAILED');
  expect(failed?.workflowTaskFailedEventAttributes?.failure).toMatchObject({
    message: expect.stringContaining('(status 404, server: envoy): it seems to come from a proxy'),
  });

  proxy.hasRoute = true;
  assertContent('return value', await handle.result());
  await worker.stop();
  show({
    what: 'a proxy without a route to the store',
    payloads: `${LARGE / 1e6} MB`,
    historyBytes: await assertSmallHistory(handle),
    seconds: (performance.now() - started) / 1_000,
    outcome: `stays Running through ${proxy.refused} answers 404; completed once there is a route`,
  });
});
