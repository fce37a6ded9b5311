import { eventualValue } from '@largepayload/testing/waiting/eventually';
import {
  Client,
  Connection,
  isGrpcServiceError,
  TimeoutFailure,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { content, LARGE } from './app/content.ts';
import { type Kind, kinds } from './app/kinds.ts';
import type { carry } from './app/workflows.ts';
import { eventsOf } from './history.fixture.ts';
import { show } from './summary.fixture.ts';
import { useTestBed } from './workflow-setup.fixture.ts';

const taskQueue = 'without codec';
const use = useTestBed('without-codec');
let connection: Connection;
let client: Client;

beforeAll(async () => {
  // By default the client tries again for 40 s.
  connection = await Connection.connect({ address: inject('suite').address, interceptors: [] });
  client = new Client({ connection });
  await use.bed.startWorker({ taskQueue, codecs: '' });
});
afterAll(() => connection.close());

/** By the way of the payload: sends a large one, asserts Temporal's error, and returns its message. */
const attempts: { readonly [way in Kind]: (way: Kind) => Promise<string> } = {
  'workflow input': (way) => refusedCall(start(way, {}, content(way))),
  memo: (way) => refusedCall(start(way, { memo: { document: content(way) } })),
  signal: async (way) => refusedCall((await start(way)).signal('sendSignal', content(way))),
  'update argument': async (way) =>
    refusedCall((await start(way)).executeUpdate('sendUpdate', { args: [content(way)] })),
  'update result': async (way) => {
    const handle = await start(way);
    // The update gets no answer while the workflow task fails.
    handle.executeUpdate('askUpdate').catch(() => undefined);
    return await failingWorkflowTask(handle.workflowId);
  },
  'query result': async (way) => {
    const failure = await failureOf((await start(way)).query('askQuery'));
    expect(failure.message).toBe('GRPC Message too large');
    return failure.message;
  },
  'activity argument': async (way) => failingWorkflowTask((await start(way)).workflowId),
  'activity result': neverArrives,
  'activity failure details': neverArrives,
  'heartbeat details': async (way) => {
    const failure = await activityFailure(way);
    expect(failure.message).toMatch(/^heartbeat details: undefined bytes|^activity StartToClose timeout/);
    return 'lost without an error, so that the second attempt has none';
  },
  'child workflow result': async (way) => failingWorkflowTask(`${(await start(way)).workflowId}, ${way}`),
  'child workflow failure details': async (way) =>
    failingWorkflowTask(`${(await start(way)).workflowId}, ${way}`),
  'workflow failure details': failingEnd,
  'return value': failingEnd,
};

/** The payloads of everything.test.ts, sent without the codec. */
describe.concurrent(`payloads of ${LARGE / 1e6} MB without the codec`, () => {
  test.for(kinds)('%s', async (way) => {
    const started = performance.now();
    const outcome = await attempts[way](way);
    const seconds = (performance.now() - started) / 1_000;
    show({ what: `without the codec: ${way}`, payloads: `${LARGE / 1e6} MB`, seconds, outcome });
  });
});

function start(way: Kind, options: { memo?: Record<string, unknown> } = {}, input?: Uint8Array) {
  return client.workflow.start<typeof carry>('carry', {
    workflowId: `${way} without codec`,
    taskQueue,
    args: [{ ways: [way], activitySeconds: 3 }, input],
    ...options,
  });
}

async function refusedCall(call: Promise<unknown>): Promise<string> {
  const { cause } = await failureOf(call);
  expect(cause?.message).toMatch(
    /^8 RESOURCE_EXHAUSTED: grpc: received message larger than max \(\d+ vs\. 4194304\)/,
  );
  return cause?.message ?? '';
}

async function failingEnd(way: Kind): Promise<string> {
  const handle = await start(way);
  await handle.signal('finish');
  return await failingWorkflowTask(handle.workflowId);
}

/** Terminates the workflow after its task has failed, as Temporal would retry it for ever. @returns the message of the failure */
async function failingWorkflowTask(workflowId: string): Promise<string> {
  const handle = client.workflow.getHandle(workflowId);
  const { raw, status } = await eventualValue(async () => {
    const description = await handle.describe().catch(unlessNotFound);
    return (description?.raw.pendingWorkflowTask?.attempt ?? 0) >= 2 ? description : undefined;
  });
  const failures = eventsOf(await handle.fetchHistory(), 'EVENT_TYPE_WORKFLOW_TASK_FAILED');
  await handle.terminate();
  expect(status.name).toBe('RUNNING');
  expect(failures[0]?.workflowTaskFailedEventAttributes?.failure?.message).toBe('GRPC Message too large');
  return `workflow task fails, attempt ${raw.pendingWorkflowTask?.attempt} begins: GRPC Message too large`;
}

/** `undefined` when the workflow does not exist: a child workflow exists only after a while. */
function unlessNotFound(error: unknown): WorkflowExecutionDescription | undefined {
  if (isGrpcServiceError(error) && error.code === 5) return undefined;
  if (error instanceof Error && error.name === 'WorkflowNotFoundError') return undefined;
  throw error;
}

async function neverArrives(way: Kind): Promise<string> {
  const failure = await activityFailure(way);
  expect(failure).toBeInstanceOf(TimeoutFailure);
  expect((failure as TimeoutFailure).timeoutType).toBe('START_TO_CLOSE');
  return `never arrives: ${failure.message}`;
}

/** The failure of the activity, which fails the workflow. */
async function activityFailure(way: Kind): Promise<Error> {
  const workflowFailure = await failureOf((await start(way)).result());
  const cause = (workflowFailure.cause as Error | undefined)?.cause;
  if (cause instanceof Error) return cause;
  throw workflowFailure;
}

async function failureOf(promise: Promise<unknown>): Promise<Error & { readonly cause?: Error }> {
  const failure = await promise.then(
    (value) => new Error(`it did not fail, but returned ${value}`),
    (error: Error) => error,
  );
  return failure as Error & { readonly cause?: Error };
}
