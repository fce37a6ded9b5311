import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { ObservedPod } from '../stores/observed.ts';
import { PodReports } from './pod-reports.ts';

const NEVER = new AbortController().signal;
const READY = { store: { namespace: 'shop', name: 'orders' }, version: '0.1.0', ready: true, reaper: null };
const NOT_READY = {
  ...READY,
  ready: false,
  error: { code: 'storage_denied', message: 'access denied for ListBucket' },
};

/** A pod on an address of loopback that no other test uses; with `answer` it listens. */
async function podAt(ip: string, answer?: RequestListener): Promise<ObservedPod> {
  if (answer !== undefined) {
    const server = createServer(answer).listen(8578, ip);
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
  }
  return {
    ...{ namespace: 'shop', name: ip, uid: ip, store: 'orders', component: 'gateway', node: 'node0', ip },
    ...{ phase: 'Running', deleting: false, ready: false, restarts: 0, image: 'x', configHash: 'c' },
    ...{ templateHash: 't', createdAt: 0, runningSince: 0, scheduled: undefined, waiting: undefined },
    ended: undefined,
  };
}

const json =
  (body: () => object): RequestListener =>
  (_request, response) =>
    response.end(JSON.stringify(body()));

test('asks a pod that is not ready again after 1, 2, 4, 8, then every 15 s; one that is well every two minutes', async () => {
  let status: object = NOT_READY;
  const pod = await podAt(
    '127.0.77.1',
    json(() => status),
  );
  const reports = new PodReports();
  const pauses = [];
  let now = 0;
  for (let look = 0; look < 6; look++) {
    await reports.refresh([pod], now, NEVER);
    pauses.push(reports.nextAt - now);
    now = reports.nextAt;
  }
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  expect(reports.answers.get(pod.uid)).toMatchObject({ report: { ready: false, error: NOT_READY.error } });
  status = READY;
  await reports.refresh([pod], now, NEVER);
  expect(reports.answers.get(pod.uid)).toMatchObject({ report: { ready: true, store: 'shop/orders' } });
  expect(reports.nextAt - now).toBe(120_000);
});

test('asks nobody before the time has come, but for a pod that Kubernetes calls ready meanwhile', async () => {
  let asked = 0;
  const pod = await podAt(
    '127.0.77.2',
    json(() => {
      asked++;
      return NOT_READY;
    }),
  );
  const reports = new PodReports();
  await reports.refresh([pod], 0, NEVER);
  await reports.refresh([pod], 999, NEVER);
  expect(asked).toBe(1);
  await reports.refresh([{ ...pod, ready: true }], 999, NEVER);
  expect(asked).toBe(2);
});

test('a reaper counts as well once it has completed a pass', async () => {
  let reaper: object = {};
  const pod = await podAt(
    '127.0.77.3',
    json(() => ({ ...READY, reaper })),
  );
  const reports = new PodReports();
  await reports.refresh([pod], 0, NEVER);
  expect(reports.nextAt).toBe(1_000);
  reaper = { lastCompletedTime: '2026-01-01T00:00:00Z' };
  await reports.refresh([pod], 1_000, NEVER);
  expect(reports.nextAt).toBe(121_000);
});

test.each<[string, string, RequestListener | undefined, string]>([
  ['refuses the connection', '127.0.77.4', undefined, 'it refused the connection'],
  ['does not answer', '127.0.77.5', () => {}, 'it did not answer within 5 s'],
  ['is another program', '127.0.77.6', (_, response) => response.end('<html>'), 'no payload-store'],
  [
    'answers without end',
    '127.0.77.7',
    (_, response) => {
      const write = () => response.write('x'.repeat(65_536)) && setImmediate(write);
      response.on('drain', write).on('error', () => {});
      write();
    },
    'no payload-store',
  ],
])('a pod that %s is unreachable, in words without addresses', async (_what, ip, answer, words) => {
  const pod = await podAt(ip, answer);
  const reports = new PodReports();
  await reports.refresh([pod], 0, NEVER);
  expect(reports.answers.get(pod.uid)).toEqual({ unreachable: expect.stringContaining(words) });
  expect(JSON.stringify([...reports.answers.values()])).not.toContain(ip);
});

test("what a pod of another store answers at that address is nobody's report", async () => {
  const other = { ...READY, store: { namespace: 'shop', name: 'returns' } };
  const pod = await podAt(
    '127.0.77.9',
    json(() => other),
  );
  const reports = new PodReports();
  await reports.refresh([pod], 0, NEVER);
  expect(reports.answers.get(pod.uid)).toEqual({ unreachable: expect.stringContaining('another store') });
});

test('forgets pods that have gone, and does not ask those that do not run', async () => {
  const pod = await podAt(
    '127.0.77.8',
    json(() => READY),
  );
  const reports = new PodReports();
  await reports.refresh([pod], 0, NEVER);
  expect(reports.answers.size).toBe(1);
  await reports.refresh([{ ...pod, runningSince: undefined }], 1, NEVER);
  expect(reports.answers.size).toBe(0);
  await reports.refresh([pod], 2, NEVER);
  await reports.refresh([], 3, NEVER);
  expect(reports.answers.size).toBe(0);
  expect(reports.nextAt).toBe(Number.POSITIVE_INFINITY);
});
