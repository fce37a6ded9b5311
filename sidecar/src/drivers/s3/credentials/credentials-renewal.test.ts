import { once } from 'node:events';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { scriptedServer } from '../scripted-server.fixture.ts';
import { credentialsFromChain } from './credentials-chain.ts';
import { renewedCredentials } from './credentials-renewal.ts';
import type { Credentials } from './credentials-source.ts';

const PAUSE = 5;
const lasting = (accessKeyId: string, minutes: number): Credentials => ({
  accessKeyId,
  secretAccessKey: 'secret',
  expiration: new Date(Date.now() + minutes * 60_000),
});

/** A source that gives these in turn, and counts how often it is asked. */
function sourceOf(...answers: (Credentials | Error)[]) {
  const source = { asked: 0, load: async (): Promise<Credentials> => next() };
  const next = () => {
    const answer = answers[Math.min(source.asked, answers.length - 1)];
    source.asked += 1;
    if (answer === undefined || answer instanceof Error) throw answer;
    return answer;
  };
  return source;
}

test('good credentials are used as long as they last, without asking again', async () => {
  const source = sourceOf(lasting('first', 60));
  const credentials = renewedCredentials(source.load, PAUSE);
  for (let call = 0; call < 3; call += 1) expect(await credentials()).toMatchObject({ accessKeyId: 'first' });
  await sleep(4 * PAUSE);
  expect(await credentials()).toMatchObject({ accessKeyId: 'first' });
  expect(source.asked).toBe(1);
});

test('credentials that end soon are used while their source is down, and replaced when it is back', async () => {
  const source = sourceOf(lasting('first', 1), new Error('down'), lasting('second', 60));
  const credentials = renewedCredentials(source.load, PAUSE);
  while (source.asked < 3) {
    expect(await credentials()).toMatchObject({ accessKeyId: 'first' });
    await sleep(PAUSE);
  }
  await expect.poll(() => credentials()).toMatchObject({ accessKeyId: 'second' });
  expect(source.asked).toBe(3);
});

test('many calls that wait ask a source that fails once, and all get its error', async () => {
  const source = sourceOf(new Error('down'), lasting('first', 60));
  const credentials = renewedCredentials(source.load, PAUSE);
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => credentials()));
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
  expect(source.asked).toBe(1);
  await expect.poll(() => credentials().catch(() => undefined)).toMatchObject({ accessKeyId: 'first' });
});

test('credentials that have ended by this clock are used, for the storage to judge', async () => {
  const source = sourceOf(lasting('ended', -60));
  expect(await renewedCredentials(source.load, PAUSE)()).toMatchObject({ accessKeyId: 'ended' });
});

test('a server that never answers is named in the error, and its connection is closed', async () => {
  const server = await scriptedServer(() => {});
  const ask = async (): Promise<never> => {
    const [answer] = await once(get(server.endpoint), 'response');
    throw answer;
  };
  const load = credentialsFromChain({ search: ask, askContainer: ask }, 100);
  await expect(load()).rejects.toMatchObject({
    fault: { source: { name: expect.stringContaining('127.0.0.1') }, code: 'ETIMEDOUT', status: undefined },
  });
  await expect.poll(() => server.connections()).toBe(0);
});
