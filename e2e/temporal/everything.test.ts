import { ApplicationFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { beforeAll, expect, test } from 'vitest';
import { assertContent, content, LARGE } from './app/content.ts';
import { type Kind, kinds } from './app/kinds.ts';
import type { carry, passOn, relay } from './app/workflows.ts';
import { assertSmallHistory, externalSizes } from './history.fixture.ts';
import { show } from './summary.fixture.ts';
import { useTestBed } from './workflow-setup.fixture.ts';

const taskQueue = 'everything';
const activitySeconds = 60;
const waysWithoutEvent = ['query result', 'heartbeat details'] as const satisfies readonly Kind[];
const use = useTestBed('everything');

beforeAll(async () => {
  await use.bed.startWorker({ taskQueue });
});

test(`payloads of ${LARGE / 1e6} MB arrive in every way that Temporal carries them`, async () => {
  const client = use.bed.client();
  const ways = kinds.filter((kind) => kind !== 'workflow failure details');
  const started = performance.now();
  const handle = await client.workflow.start<typeof carry>('carry', {
    workflowId: 'everything at once',
    taskQueue,
    args: [{ ways, activitySeconds }, content('workflow input')],
    memo: { document: content('memo') },
  });
  await handle.signal('sendSignal', content('signal'));
  await handle.executeUpdate('sendUpdate', { args: [content('update argument')] });
  assertContent('update result', await handle.executeUpdate<Uint8Array, []>('askUpdate'));
  assertContent('query result', await handle.query<Uint8Array>('askQuery'));
  assertContent('memo', (await handle.describe()).memo?.document as Uint8Array);
  await handle.signal('finish');
  assertContent('return value', await handle.result());
  await assertSizesAreTold(handle, ways.length - waysWithoutEvent.length);

  const seconds = secondsSince(started);
  const historyBytes = await assertSmallHistory(handle);
  const payloads = `${ways.length} x ${LARGE / 1e6} MB`;
  show({ what: 'everything at once', payloads, historyBytes, seconds, outcome: 'every byte arrived' });
});

test('a workflow that fails delivers its large details', async () => {
  const started = performance.now();
  const handle = await use.bed.client().workflow.start<typeof carry>('carry', {
    workflowId: 'fails with details',
    taskQueue,
    args: [{ ways: ['workflow failure details'], activitySeconds }],
  });
  await handle.signal('finish');
  const failure = await handle.result().catch((error: unknown) => error);

  expect(failure).toBeInstanceOf(WorkflowFailedError);
  const { cause } = failure as WorkflowFailedError;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  assertContent('workflow failure details', (cause as ApplicationFailure).details?.[0] as Uint8Array);
  const seconds = secondsSince(started);
  const historyBytes = await assertSmallHistory(handle);
  const payloads = `${LARGE / 1e6} MB`;
  show({
    what: 'workflow failure details',
    payloads,
    historyBytes,
    seconds,
    outcome: 'every byte arrived',
  });
});

test('100 MB arrive as the result of an activity and of a workflow', async () => {
  const size = 100_000_000;
  const started = performance.now();
  const handle = await use.bed.client().workflow.start<typeof passOn>('passOn', {
    workflowId: '100 MB',
    taskQueue,
    args: ['a hundred megabytes', size],
  });
  const result = await handle.result();
  const seconds = secondsSince(started);
  assertContent('a hundred megabytes', result, size);
  const historyBytes = await assertSmallHistory(handle);
  const payloads = '2 x 100 MB';
  show({
    what: 'activity result, return value',
    payloads,
    historyBytes,
    seconds,
    outcome: 'every byte arrived',
  });
});

test('a workflow continues as new, with another large input each time', async () => {
  const runs = 5;
  const started = performance.now();
  const handle = await use.bed.client().workflow.start<typeof relay>('relay', {
    workflowId: 'relay',
    taskQueue,
    args: [1, runs, content('input of run 1')],
  });
  assertContent('return value', await handle.result());
  const seconds = secondsSince(started);
  const last = use.bed.client().workflow.getHandle('relay');
  expect((await last.describe()).runId).not.toBe(handle.firstExecutionRunId);
  const historyBytes = await assertSmallHistory(last);
  const payloads = `${runs + 1} x ${LARGE / 1e6} MB`;
  show({
    what: `continue-as-new, ${runs} runs`,
    payloads,
    historyBytes,
    seconds,
    outcome: 'every byte arrived',
  });
});

/** Asserts that a history tells people and Temporal how many bytes it refers to. */
async function assertSizesAreTold(handle: WorkflowHandle, count: number): Promise<void> {
  const sizes = externalSizes(await handle.fetchHistory());
  expect(sizes).toEqual(Array(count).fill(LARGE));
  const { workflowExecutionInfo: info } = (await handle.describe()).raw;
  // Servers up to 1.29 do not count external payloads.
  expect([0, count]).toContain(Number(info?.externalPayloadCount));
  expect([0, count * LARGE]).toContain(Number(info?.externalPayloadSizeBytes));
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1_000;
}
