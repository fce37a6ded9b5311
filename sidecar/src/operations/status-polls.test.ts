import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReport } from '@largepayload/crds';
import { call } from '@largepayload/testing/service/http-call';
import { startService } from '@largepayload/testing/service/running-service';
import { expect, test } from 'vitest';
import { type StatusPollLimits, StatusPolls } from './status-polls.ts';
import { revisionOf } from './status-revision.ts';

const STATUS: Omit<StatusReport, 'revision'> = {
  ...{ store: { namespace: 'shop', name: 'orders' }, role: 'reaper', version: '1', storage: 's3' },
  ...{ storageID: 'shop/orders/1', lease: undefined, ready: true },
  reaper: { lastCompletedTime: '2026-01-01T00:00:10Z', lastError: undefined, waiting: undefined },
};
const NEVER = new AbortController().signal;

/** Polls of a status that the test changes. */
function pollsOf(limits: Partial<StatusPollLimits> = {}) {
  const revised = (fields: object): StatusReport => {
    const status = { ...STATUS, ...fields } as StatusReport;
    return { ...status, revision: revisionOf(status) };
  };
  let status = revised({});
  let looks = 0;
  const look = async () => {
    looks++;
    return status;
  };
  const polls = new StatusPolls(look, {
    mostWaiting: 2,
    longestWaitMs: 10_000,
    lookIntervalMs: 20,
    ...limits,
  });
  const ask = async (since: string, left: AbortSignal = NEVER) => {
    let text = '';
    for await (const part of polls.answer(since, left)) text += part;
    return JSON.parse(text) as StatusReport;
  };
  return {
    ...{ polls, ask, looks: () => looks, revision: () => status.revision },
    change: (fields: object) => {
      status = revised(fields);
    },
  };
}

const isOver = async (answer: Promise<unknown>) =>
  await Promise.race([answer.then(() => true), sleep(100, false)]);

test('a caller that knows another revision is answered at once', async () => {
  const { ask, revision } = pollsOf();
  expect(await ask('another')).toMatchObject({ ready: true, revision: revision() });
});

test('a caller that knows the revision gets a first byte at once, and waits until there is news', async () => {
  const { polls, ask, revision, change } = pollsOf();
  expect((await polls.answer(revision(), NEVER).next()).value).toBe(' ');
  const answer = ask(revision());
  expect(await isOver(answer)).toBe(false);
  change({ ready: false, error: { code: 'storage_unavailable', message: 'gone' } });
  expect(await answer).toMatchObject({ ready: false, revision: revision() });
});

test('a caller gets the same report again when the longest wait is over', async () => {
  const { ask, revision } = pollsOf({ longestWaitMs: 50 });
  expect(await ask(revision())).toMatchObject({ revision: revision() });
});

test('one caller more than may wait is answered at once, and a place is free again when a caller leaves', async () => {
  const { ask, revision } = pollsOf();
  const left = new AbortController();
  const first = ask(revision(), left.signal);
  const second = ask(revision());
  await sleep(50);
  expect(await isOver(ask(revision()))).toBe(true);
  left.abort();
  await first;
  expect(await isOver(ask(revision()))).toBe(false);
  expect(await isOver(second)).toBe(false);
});

test('the storage is looked at while a caller waits, and not after that', async () => {
  const { ask, revision, looks, change } = pollsOf();
  const answer = ask(revision());
  await sleep(200);
  expect(looks()).toBeGreaterThan(3);
  change({ ready: false, error: { code: 'storage_unavailable', message: 'gone' } });
  await answer;
  const after = looks();
  await sleep(100);
  expect(looks()).toBe(after);
});

test('the end of the process answers all who wait, and no caller waits after it', async () => {
  const { polls, ask, revision } = pollsOf();
  const answers = [ask(revision()), ask(revision())];
  await sleep(50);
  await polls.end();
  expect(await isOver(Promise.all(answers))).toBe(true);
  expect(await isOver(ask(revision()))).toBe(true);
});

const LEASE = {
  ...{ holder: '1', store: 'shop/orders', cluster: 'eu', since: '2026-01-01T00:00:00.000Z' },
  ...{ renewed: '2026-01-01T00:00:15.000Z', confirmed: true, released: false, shared: false },
};
const withLease = { ...STATUS, lease: LEASE } as Omit<StatusReport, 'revision'>;

test.each<[string, object]>([
  ['the renewal of the lease', { lease: { ...LEASE, renewed: '2026-01-01T00:00:30.000Z' } }],
  ['a second pass in a minute', { reaper: { ...STATUS.reaper, lastCompletedTime: '2026-01-01T00:00:50Z' } }],
])('%s is no news', (_what, fields) => {
  expect(revisionOf({ ...withLease, ...fields } as typeof withLease)).toBe(revisionOf(withLease));
});

test.each<[string, object]>([
  ['a storage that fails', { ready: false, error: { code: 'storage_unavailable', message: 'gone' } }],
  ['another holder of the lease', { lease: { ...LEASE, holder: '2' } }],
  ['a pass in another minute', { reaper: { ...STATUS.reaper, lastCompletedTime: '2026-01-01T01:00:10Z' } }],
  ['a pass that fails', { reaper: { ...STATUS.reaper, lastError: 'denied' } }],
  ['another storage', { storageID: 'shop/orders/2' }],
])('%s is news', (_what, fields) => {
  expect(revisionOf({ ...withLease, ...fields } as typeof withLease)).not.toBe(revisionOf(withLease));
});

test('a flood of callers that wait leaves room on the metrics port, and the end of the service answers them', async () => {
  await using service = await startService();
  const { revision } = JSON.parse((await call(service.metrics, '/status')).body.toString());
  const flood = Array.from({ length: 60 }, () => call(service.metrics, `/status?since=${revision}`));
  let answered = 0;
  for (const answer of flood) void answer.then(() => answered++);
  await expect.poll(() => answered, { timeout: 5_000 }).toBe(44);
  expect((await call(service.metrics, '/healthz')).status).toBe(200);
  await service.stop();
  for (const answer of await Promise.all(flood)) {
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
    });
    expect(JSON.parse(answer.body.toString())).toMatchObject({ store: { name: 'test' } });
  }
}, 20_000);
