import {
  ActivityFailure,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type * as activities from './activities.ts';
import { assertContent, content } from './content.ts';

const { produce, consume, failWithDetails, giveBack } = proxyActivities<typeof activities>({
  startToCloseTimeout: '10 minutes',
  retry: { initialInterval: '100ms' },
});

/** Lets `interrupted` go on. */
export const goOn = defineSignal('goOn');

export interface Pause {
  readonly isReached: boolean;
  /** Whether the answering worker has replayed the history. */
  readonly isReplayed: boolean;
}
export const pause = defineQuery<Pause>('pause');

/** Waits in the middle, and afterwards verifies the payloads of before. */
export async function interrupted(input: Uint8Array): Promise<Uint8Array> {
  let isToldToGoOn = false;
  let reached: Pause = { isReached: false, isReplayed: false };
  setHandler(goOn, () => {
    isToldToGoOn = true;
  });
  setHandler(pause, () => reached);
  const first = await produce('first');
  reached = { isReached: true, isReplayed: workflowInfo().unsafe.isReplaying };
  await condition(() => isToldToGoOn);
  assertContent('input', input);
  assertContent('first', first);
  assertContent('second', await produce('second'));
  return content('return value');
}

/** Takes a document and does not return it. */
export const deliver = defineSignal<[document: Uint8Array]>('deliver');

/** Waits until so many documents are delivered; returns their bytes together. */
export async function collect(count: number): Promise<number> {
  const sizes: number[] = [];
  setHandler(deliver, (document) => {
    sizes.push(document.length);
  });
  await condition(() => sizes.length === count);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Every step needs the store: for the activity's argument and its result. */
export async function steady(rounds: number): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    await consume(`argument ${round}`, content(`argument ${round}`));
    assertContent(`result ${round}`, await produce(`result ${round}`));
    await sleep('1s');
  }
}

/** An activity whose result arrives after that many seconds. */
export async function late(seconds: number): Promise<Uint8Array> {
  return await produce('late', undefined, seconds);
}

/** An activity that fails with details after that many seconds. */
export async function lateFailure(seconds: number): Promise<void> {
  try {
    await failWithDetails('late failure', seconds);
  } catch (failure) {
    if (!(failure instanceof ActivityFailure && failure.cause instanceof ApplicationFailure)) throw failure;
    assertContent('late failure', failure.cause.details?.[0] as Uint8Array);
    return;
  }
  throw new Error('the activity did not fail');
}

/** Continues as new several times, each time with another large input. */
export async function relay(run: number, runs: number, input: Uint8Array): Promise<Uint8Array> {
  assertContent(`input of run ${run}`, input);
  if (run === runs) return content('return value');
  return await continueAsNew<typeof relay>(run + 1, runs, content(`input of run ${run + 1}`));
}

/** Returns the result of an activity without reading it. */
export async function passOn(name: string, size: number): Promise<Uint8Array> {
  return await produce(name, size);
}

/** Carries one document four times: as input, to an activity, back, and as result. */
export async function echo(document: unknown): Promise<unknown> {
  return await giveBack(document);
}

/** Returns the details that the workflow sees when an activity fails with large details. */
export async function detailsOfFailure(): Promise<unknown> {
  try {
    await failWithDetails('details of a failure');
  } catch (failure) {
    const cause = failure instanceof ActivityFailure ? failure.cause : undefined;
    if (cause instanceof ApplicationFailure) return { message: cause.message, details: cause.details };
    throw failure;
  }
  throw ApplicationFailure.nonRetryable('the activity did not fail');
}
