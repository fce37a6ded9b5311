import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { pollPod, type RunningPod } from './poll-pod.ts';
import { json, NOT_READY, podAt, READY } from './running-pods.fixture.ts';

const reportOf = async (pod: RunningPod) => (await pollPod(pod).result)?.report;

test('a pod answers with its status report', async () => {
  const pod = await podAt(
    '127.0.78.1',
    json(() => NOT_READY),
  );
  expect(await reportOf(pod)).toMatchObject({
    report: { store: 'shop/orders', ready: false, error: NOT_READY.error },
  });
});

test.each<[string, string, RequestListener | undefined, string]>([
  ['refuses the connection', '127.0.78.4', undefined, 'it refused the connection'],
  ['does not answer', '127.0.78.5', () => {}, 'it did not answer within 5 s'],
  ['is another program', '127.0.78.6', (_, response) => response.end('<html>'), 'no payload-store'],
  [
    'answers without end',
    '127.0.78.7',
    (_, response) => {
      const write = () => response.write('x'.repeat(65_536)) && setImmediate(write);
      response.on('drain', write).on('error', () => {});
      write();
    },
    'no payload-store',
  ],
])(
  'a pod that %s is unreachable, for a reason without addresses',
  async (_what, ip, listener, reason) => {
    const answer = await reportOf(await podAt(ip, listener));
    expect(answer).toEqual({ unreachable: expect.stringContaining(reason) });
    expect(JSON.stringify(answer)).not.toContain(ip);
  },
  10_000,
);

test('a pod of another store at that address counts as unreachable', async () => {
  const other = { ...READY, store: { namespace: 'shop', name: 'returns' } };
  const pod = await podAt(
    '127.0.78.9',
    json(() => other),
  );
  expect(await reportOf(pod)).toEqual({ unreachable: expect.stringContaining('another store') });
});

/** Answers as a service does that holds polls: a space at once, the report after `delayMs`. */
const holding =
  (delayMs: number): RequestListener =>
  (_, response) => {
    response.write(' ');
    setTimeout(() => response.end(JSON.stringify({ ...READY, revision: 'two' })), delayMs);
  };

test('a poll that is held has begun long before its answer, and asks for news since a revision', async () => {
  let url: string | undefined;
  const pod = await podAt('127.0.78.10', (request, response) => {
    url = request.url;
    holding(6_000)(request, response);
  });
  const started = performance.now();
  const poll = pollPod(pod, { since: 'one', forMs: 60_000 });
  await poll.begun;
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(await poll.result).toMatchObject({ report: { report: { ready: true } }, revision: 'two' });
  expect(performance.now() - started).toBeGreaterThan(5_000);
  expect(url).toBe('/status?since=one');
}, 15_000);

test.each<[string, (poll: ReturnType<typeof pollPod>) => void, number]>([
  ['its time is over', () => {}, 100],
  ['it is ended', (poll) => poll.end(), 60_000],
])('a held poll ends without an answer when %s', async (_when, end, forMs) => {
  const poll = pollPod(await podAt('127.0.78.11', holding(60_000)), { since: 'one', forMs });
  await poll.begun;
  end(poll);
  expect(await poll.result).toBeUndefined();
});

test('a poll that is not held is silent when the rest of its answer does not come', async () => {
  const pod = await podAt('127.0.78.12', holding(60_000));
  expect(await reportOf(pod)).toEqual({ unreachable: 'it did not answer within 5 s' });
}, 15_000);

test.each([
  ['is too long for an address', 'x'.repeat(1_000)],
  ['has a part of a surrogate pair', 'x\ud800'],
])('a revision that %s counts as none', async (_which, revision) => {
  const pod = await podAt(
    '127.0.78.13',
    json(() => ({ ...READY, revision })),
  );
  expect(await pollPod(pod).result).toMatchObject({ revision: undefined });
});

test('a revision with characters that addresses do not have comes back to the pod as it was', async () => {
  let url = '';
  const revision = ' \r\nHost: other\0/../?a=b#é&since=';
  const pod = await podAt('127.0.78.14', (request, response) => {
    url = request.url ?? '';
    holding(0)(request, response);
  });
  await pollPod(pod, { since: revision, forMs: 60_000 }).result;
  expect(new URL(url, 'http://pod').searchParams.getAll('since')).toEqual([revision]);
});
