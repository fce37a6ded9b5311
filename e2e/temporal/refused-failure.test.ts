import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LARGE } from './app/content.ts';
import type { detailsOfFailure } from './app/workflows.ts';
import { show } from './summary.fixture.ts';
import { useTestBed } from './workflow-setup.fixture.ts';

/** A store that refuses every payload, as with a limit that is too low or without access. */
function refusingStore(): Server {
  return createServer((request, response) => {
    request.resume().on('end', () => {
      const error = { code: 'payload_too_large', message: 'refused by this test' };
      response.writeHead(413).end(JSON.stringify({ error }));
    });
  });
}

describe('when the store refuses the details of a failed activity', () => {
  const use = useTestBed('refused-failure');
  const store = refusingStore();
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve));
    env = { LARGE_PAYLOAD_SERVICE_URL: `http://127.0.0.1:${(store.address() as AddressInfo).port}` };
  });
  afterAll(() => store.close());

  test('the workflow gets a note instead of them and the worker goes on, with the interceptor', async () => {
    const taskQueue = 'refused with interceptor';
    const worker = await use.bed.startWorker({
      taskQueue,
      env: { ...env, E2E_INTERCEPTORS: 'activity failures' },
    });
    const run = (workflowId: string) =>
      use.bed
        .client()
        .workflow.execute<typeof detailsOfFailure>('detailsOfFailure', { workflowId, taskQueue });
    for (const workflowId of ['refused details', 'more refused details']) {
      const { message, details } = (await run(workflowId)) as { message: string; details: unknown[] };
      expect(message).toBe('an activity that fails on purpose');
      // `toEqual` would print ten megabytes.
      const [{ payloadNotStored: note }] = details as [{ payloadNotStored?: { name: string; size: number } }];
      expect([note?.name, note?.size]).toEqual(['PayloadRejectedError', LARGE]);
    }
    expect(worker.isRunning).toBe(true);
    show({
      what: 'details of a failure refused',
      payloads: `${LARGE / 1e6} MB`,
      outcome: 'the workflow gets the failure with a note; the worker lives',
    });
  });

  test("Temporal's worker ends without the interceptor, as docs/codec.md says", async () => {
    const taskQueue = 'refused without interceptor';
    const worker = await use.bed.startWorker({ taskQueue, env });
    const handle = await use.bed.client().workflow.start<typeof detailsOfFailure>('detailsOfFailure', {
      workflowId: taskQueue,
      taskQueue,
    });
    await eventualValue(async () => !worker.isRunning || undefined);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await handle.terminate();
  });
});
