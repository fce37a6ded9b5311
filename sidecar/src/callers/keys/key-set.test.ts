import { setTimeout as sleep } from 'node:timers/promises';
import { signingKey } from '@largepayload/testing/tokens/token-issuer';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CLUSTER, memoryIssuer } from '../tokens/verifier.fixture.ts';
import { KeySet } from './key-set.ts';

const outcomes = async (work: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(work)).map((each) => (each.status === 'fulfilled' ? 'found' : each.reason.code));

test('keys are fetched when they are first needed, once for all that need them', async () => {
  const issuer = memoryIssuer();
  expect(issuer.asked).toBe(0);
  const { id } = issuer.key();
  const found = await Promise.all(Array.from({ length: 50 }, () => issuer.keys.find(id)));
  expect(new Set(found).size).toBe(1);
  expect(issuer.asked).toBe(1);
  expect(issuer.keys.issuer).toBe(CLUSTER);
});

test('a flood of unknown names asks the issuer once in a pause, and 64 of them wait for the answer', async () => {
  const issuer = memoryIssuer();
  await issuer.keys.load();
  // The pause since the first fetch is not over.
  const early = Array.from({ length: 200 }, (_, at) => issuer.keys.find(`unknown-${at}`));
  expect(new Set(await outcomes(early))).toEqual(new Set(['token_refused']));
  expect(issuer.asked).toBe(1);

  const patient = memoryIssuer(CLUSTER, { pauseMs: 0 });
  await patient.keys.load();
  const gate = Promise.withResolvers<void>();
  patient.gate = gate.promise;
  let answered = 0;
  const flood = Array.from({ length: 200 }, (_, at) =>
    patient.keys.find(`unknown-${at}`).finally(() => answered++),
  );
  const done = outcomes(flood);
  await eventually('those that do not wait are answered', () => answered === 200 - 64);
  gate.resolve();
  expect(new Set(await done)).toEqual(new Set(['token_refused']));
  expect(patient.asked).toBe(2);
});

test('a new key is found by its first token, and those before it stay', async () => {
  const issuer = memoryIssuer(CLUSTER, { pauseMs: 0 });
  const before = await issuer.keys.find(issuer.key().id);
  issuer.published.push(signingKey('RS256'));
  const after = await issuer.keys.find(issuer.key().id);
  expect(after.key.asymmetricKeyType).toBe('rsa');
  expect(issuer.asked).toBe(2);
  expect(issuer.keys.holds(before)).toBe(true);
});

test('an issuer that is down at the start is asked again, by whatever needs its keys', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const issuer = memoryIssuer(CLUSTER, { pauseMs: 50 });
  issuer.failure = new Error('https://cluster: connect ECONNREFUSED');
  await expect(issuer.keys.find('any')).rejects.toMatchObject({
    code: 'token_keys_unavailable',
    message: expect.stringContaining('connect ECONNREFUSED'),
    reason: { name: 'TokenKeysMissing', issuer: CLUSTER },
  });
  expect(issuer.keys.ageMs).toBeUndefined();
  expect(() => issuer.keys.assertLoaded()).toThrow('connect ECONNREFUSED');
  expect(issuer.asked).toBe(1);
  issuer.failure = undefined;
  vi.advanceTimersByTime(50);
  await issuer.keys.load();
  expect(issuer.asked).toBe(2);
  expect(issuer.keys.ageMs).toBeGreaterThanOrEqual(0);
});

test('the last good keys are kept while the issuer is down, and a new key has to wait', async () => {
  const issuer = memoryIssuer(CLUSTER, { freshMs: 0, pauseMs: 0 });
  const key = await issuer.keys.find(issuer.key().id);
  issuer.failure = new Error('down');
  for (let look = 0; look < 3; look += 1) {
    expect(await issuer.keys.find(key.id)).toBe(key);
    expect(issuer.keys.holds(key)).toBe(true);
    issuer.keys.assertLoaded();
    await sleep(5);
  }
  expect(issuer.asked).toBeGreaterThan(1);
  issuer.published.push(signingKey());
  // That key may be right, so the client is asked to come again for this reason.
  await expect(issuer.keys.find(issuer.key().id)).rejects.toMatchObject({
    code: 'token_keys_unavailable',
    message: expect.stringContaining('down'),
    reason: undefined,
  });
  issuer.failure = undefined;
  expect((await issuer.keys.find(issuer.key().id)).id).toBe(issuer.key().id);
});

test('old keys are used while they are fetched again', async () => {
  const issuer = memoryIssuer(CLUSTER, { freshMs: 0, pauseMs: 0 });
  const key = await issuer.keys.find(issuer.key().id);
  issuer.gate = new Promise(() => {});
  await sleep(2);
  expect(await issuer.keys.find(key.id)).toBe(key);
  expect(await issuer.keys.find(key.id)).toBe(key);
  expect(issuer.asked).toBe(2);
});

test('fresh keys are not fetched again, and no timer runs', async () => {
  const issuer = memoryIssuer(CLUSTER, { pauseMs: 0 });
  const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
  const before = timers();
  const key = await issuer.keys.find(issuer.key().id);
  for (let look = 0; look < 100; look += 1) expect(issuer.keys.holds(key)).toBe(true);
  expect(issuer.asked).toBe(1);
  expect(timers()).toBe(before);
});

test('an issuer that does not answer is given up in time', async () => {
  const load = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const keys = new KeySet({ name: CLUSTER, issuer: undefined, load }, log, { limitMs: 20 });
  await expect(keys.load()).rejects.toThrow(`${CLUSTER}: no answer within 0.02 s`);
});

test('after the end no issuer is asked', async () => {
  const issuer = memoryIssuer();
  issuer.keys.close();
  expect(await outcomes([issuer.keys.load()])).toEqual(['token_keys_unavailable']);
  expect(issuer.asked).toBe(0);
});
