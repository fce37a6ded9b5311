import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterEach, expect, test, vi } from 'vitest';
import { apiOf, failureOf, NAME, NEVER } from './http-api.fixture.ts';
import { PODS } from './resources.ts';
import { answer, statusOf } from './scripted-server.fixture.ts';

afterEach(() => vi.useRealTimers());

test.each([
  ['a Status', { 'Retry-After': '7' }, statusOf(429, 'TooManyRequests'), /it is TooManyRequests/, 7],
  ['details', {}, { ...statusOf(429, 'x'), details: { retryAfterSeconds: 3 } }, /it is x/, 3],
  [
    'a pause that is no number',
    {},
    { ...statusOf(429, 'x'), details: { retryAfterSeconds: 'soon' } },
    /x/,
    undefined,
  ],
  ['a page of a proxy', {}, '<html>\n\n busy </html>', /busy/, undefined],
])('a refusal by %s is carried with its message', async (_, headers, body, message, retryAfterSeconds) => {
  await using bed = await apiOf((__, response) => answer(response, 429, body, headers));
  const failure = await failureOf(bed.api.get(NAME, NEVER));
  expect(failure).toMatchObject({ status: 429, retryAfterSeconds });
  expect(failure.message).toMatch(message);
  expect(bed.outcomes).toMatchObject([{ verb: 'get', status: 429 }]);
});

test('a server that cannot be reached has status 0 and its address in the message', async () => {
  const bed = await apiOf(() => {});
  await bed.server[Symbol.asyncDispose]();
  const failure = await failureOf(bed.api.get(NAME, NEVER));
  expect(failure.status).toBe(0);
  expect(failure.message).toMatch(/get configmaps shop\/one: .* http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  expect(bed.outcomes).toMatchObject([{ status: 0 }]);
});

test.each([
  ['never begins', () => {}],
  ['never ends', (response: import('node:http').ServerResponse) => response.write('{"half":')],
])('an answer that %s fails after 30 seconds', async (_, begin) => {
  let isAsked = false;
  await using bed = await apiOf((__, response) => {
    begin(response);
    isAsked = true;
  });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const failing = failureOf(bed.api.get(NAME, NEVER));
  await vi.waitUntil(() => isAsked);
  await vi.advanceTimersByTimeAsync(29_000);
  expect(bed.outcomes).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await failing).message).toMatch(/no answer within 30 seconds/);
  vi.useRealTimers();
  await eventually('the connection is closed', async () => (await bed.server.open()) === 0);
});

test('an answer of more than 16 MiB is not read to its end', async () => {
  let sent = 0;
  await using bed = await apiOf(async (_, response) => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    while (!response.destroyed && sent < 200) {
      sent += 1;
      if (!response.write(chunk)) await sleep(1);
    }
  });
  const failure = await failureOf(bed.api.list({ resource: PODS }, { limit: 500 }, NEVER));
  expect(failure).toMatchObject({ status: 0, reason: 'TooLarge' });
  expect(sent).toBeLessThan(200);
});

test('an aborted call rejects with the reason, and its connection is closed', async () => {
  await using bed = await apiOf(() => {});
  const controller = new AbortController();
  const reason = new Error('no longer wanted');
  const call = bed.api.get(NAME, controller.signal);
  await eventually('it is asked', () => bed.server.asked.length === 1);
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
  await expect(bed.api.get(NAME, controller.signal)).rejects.toBe(reason);
  await eventually('the connection is closed', async () => (await bed.server.open()) === 0);
  expect(bed.outcomes).toEqual([]);
});
