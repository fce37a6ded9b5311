import { ApplicationFailure, activityInfo, heartbeat, sleep } from '@temporalio/activity';
import { assertContent, content } from './content.ts';

/** Returns the bytes of that name after some seconds. */
export async function produce(name: string, size?: number, seconds = 0): Promise<Uint8Array> {
  await sleep(seconds * 1_000);
  return content(name, size);
}

export async function consume(name: string, document: Uint8Array): Promise<void> {
  assertContent(name, document);
}

/** Fails after some seconds, without a retry, with the bytes of that name as details. */
export async function failWithDetails(name: string, seconds = 0): Promise<void> {
  await sleep(seconds * 1_000);
  throw ApplicationFailure.create({
    message: 'an activity that fails on purpose',
    nonRetryable: true,
    details: [content(name)],
  });
}

/** Heartbeats details of that name and fails; the second attempt finds them. */
export async function heartbeatWithDetails(name: string): Promise<void> {
  const { attempt, heartbeatDetails } = activityInfo();
  if (attempt > 1) return assertContent(name, heartbeatDetails as Uint8Array);
  heartbeat(content(name));
  throw new Error('the first attempt fails on purpose');
}

export async function giveBack(document: unknown): Promise<unknown> {
  return document;
}
