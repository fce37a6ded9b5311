import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type * as activities from './activities.ts';
import { assertContent, content } from './content.ts';
import type { Kind } from './kinds.ts';

export const sendSignal = defineSignal<[document: Uint8Array]>('sendSignal');
export const sendUpdate = defineUpdate<void, [document: Uint8Array]>('sendUpdate');
export const askUpdate = defineUpdate<Uint8Array>('askUpdate');
export const askQuery = defineQuery<Uint8Array>('askQuery');
/** Lets the workflow end. */
export const finish = defineSignal('finish');

type Steps = { [way in Kind]?: () => Promise<void> };

export interface CarryInput {
  readonly ways: readonly Kind[];
  /** How long an activity's result or failure may take to arrive. */
  readonly activitySeconds: number;
}

/**
 * Carries a large payload in each of the ways given, verifies it where it arrives, and ends when told to. It waits
 * for the signal or the update when one of those ways is among them.
 */
export async function carry(
  { ways, activitySeconds }: CarryInput,
  input?: Uint8Array,
): Promise<Uint8Array | undefined> {
  const awaited = new Set(ways.filter((way) => way === 'signal' || way === 'update argument'));
  let finished = false;
  const arrive = (way: 'signal' | 'update argument', document: Uint8Array) => {
    assertContent(way, document);
    awaited.delete(way);
  };
  setHandler(sendSignal, (document) => arrive('signal', document));
  setHandler(sendUpdate, (document) => arrive('update argument', document));
  setHandler(askUpdate, () => content('update result'));
  setHandler(askQuery, () => content('query result'));
  setHandler(finish, () => {
    finished = true;
  });

  if (ways.includes('workflow input')) assertContent('workflow input', input);
  if (ways.includes('memo')) assertContent('memo', workflowInfo().memo?.document as Uint8Array);
  const steps = { ...activitySteps(activitySeconds), ...childSteps };
  await Promise.all(ways.map((way) => steps[way]?.()));
  await condition(() => finished && awaited.size === 0);

  if (ways.includes('workflow failure details')) {
    throw ApplicationFailure.nonRetryable(
      'a workflow that fails on purpose',
      'OnPurpose',
      content('workflow failure details'),
    );
  }
  return ways.includes('return value') ? content('return value') : undefined;
}

/** A child workflow of `carry`, which ends by itself. */
export async function carryHome(way: 'child workflow result' | 'child workflow failure details') {
  if (way === 'child workflow result') return content(way);
  throw ApplicationFailure.nonRetryable('a child that fails on purpose', 'OnPurpose', content(way));
}

function activitySteps(seconds: number): Steps {
  const { produce, consume, failWithDetails, heartbeatWithDetails } = proxyActivities<typeof activities>({
    startToCloseTimeout: seconds * 1_000,
    retry: { maximumAttempts: 2, initialInterval: '100ms' },
  });
  return {
    'activity argument': () => consume('activity argument', content('activity argument')),
    'activity result': async () => assertContent('activity result', await produce('activity result')),
    'activity failure details': () =>
      assertFailsWith('activity failure details', failWithDetails('activity failure details')),
    'heartbeat details': () => heartbeatWithDetails('heartbeat details'),
  };
}

const childSteps: Steps = {
  'child workflow result': async () => {
    const way = 'child workflow result';
    assertContent(way, (await executeChild(carryHome, childOptions(way))) as Uint8Array);
  },
  'child workflow failure details': () => {
    const way = 'child workflow failure details';
    return assertFailsWith(way, executeChild(carryHome, childOptions(way)));
  },
};

function childOptions(way: 'child workflow result' | 'child workflow failure details') {
  return { args: [way] as [typeof way], workflowId: `${workflowInfo().workflowId}, ${way}` };
}

async function assertFailsWith(name: string, promise: Promise<unknown>): Promise<void> {
  const failure = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof ActivityFailure || failure instanceof ChildWorkflowFailure)) {
    throw new Error(`${name}: expected a failure, there was ${failure}`);
  }
  if (!(failure.cause instanceof ApplicationFailure)) throw failure;
  assertContent(name, failure.cause.details?.[0] as Uint8Array);
}
