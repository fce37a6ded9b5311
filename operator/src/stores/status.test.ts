import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Situation } from './conditions/component-view.ts';
import type { ObservedDeployment } from './observed.ts';
import { sameStatus } from './same-status.ts';
import { errorReport, HOUR, NOW, STORAGE_ID, wellStore } from './situation.fixture.ts';
import { decideStatus } from './status.ts';
import { CASES } from './status-cases/all.fixture.ts';
import { ON_A_VOLUME, ON_S3, store } from './stores.fixture.ts';

const conditionsOf = (situation: Situation) =>
  Object.fromEntries(
    (decideStatus(situation).conditions ?? []).map(({ type, status, reason }) => [
      type,
      `${status} ${reason}`,
    ]),
  );

const messagesOf = (situation: Situation) => {
  const [ready, ...others] = decideStatus(situation).conditions ?? [];
  const shown = others.map(({ type, status, reason, message }) => {
    const isShown = status !== 'True' && message === ready?.message;
    return [type, `${status} ${reason}: ${isShown ? '(as Ready)' : message}`];
  });
  return { Ready: `${ready?.status} ${ready?.reason}: ${ready?.message}`, ...Object.fromEntries(shown) };
};

test.each(CASES)('the conditions are as expected when $when', ({ situation, expected }) => {
  expect(conditionsOf(situation)).toEqual(expected);
});

/** All messages of conditions, for people to read. `UPDATE_GOLDEN=1` writes them anew. */
test('the messages of conditions are those in testdata', async () => {
  const file = new URL('testdata/conditions.yaml', import.meta.url);
  const messages = CASES.map(({ when, situation }) => [when, messagesOf(situation)]);
  const text = stringify(Object.fromEntries(messages), { lineWidth: 0 });
  if (process.env.UPDATE_GOLDEN === '1') await writeFile(file, text);
  expect(text).toBe(await readFile(file, 'utf8'));
});

test.each(CASES)('nothing is written again when nothing changes: $when', ({ situation }) => {
  const first = decideStatus(situation);
  const { observed } = situation;
  const later = {
    ...situation,
    now: situation.now + 1_000,
    observed: { ...observed, store: { ...observed.store, status: first } },
  };
  const second = decideStatus(later);
  expect(second).toEqual(first);
  expect(sameStatus(first, second)).toBe(true);
});

test('the status has the endpoint, the storage and the last pass of the store', () => {
  expect(decideStatus(wellStore())).toMatchObject({
    observedGeneration: 3,
    storageID: STORAGE_ID,
    endpoint: 'https://orders-gateway.payments.svc:8577',
    authentication: 'Token',
    replicas: 2,
    selector:
      'app.kubernetes.io/name=payload-store,app.kubernetes.io/instance=orders,app.kubernetes.io/component=gateway',
    retention: { lastCompletedTime: '2026-06-01T11:30:00Z' },
  });
});

test("the storage that was found first stays the store's, whatever another pod reports", () => {
  const well = wellStore();
  const claimed = {
    ...well,
    observed: { ...well.observed, store: store(ON_S3, {}, { storageID: 'payments/orders/1' }) },
  };
  expect(decideStatus(claimed).storageID).toBe('payments/orders/1');
});

const readySince = (time: number) => ({
  ...{ type: 'Ready', status: 'True', reason: 'Ready', message: '' },
  lastTransitionTime: new Date(time).toISOString(),
});

test('a condition keeps the time of its last transition while its status stays', () => {
  const status = {
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'FewerPods',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  };
  const before = wellStore();
  const situation = { ...before, observed: { ...before.observed, store: store(ON_S3, {}, status) } };
  const times = decideStatus(situation).conditions?.map(({ lastTransitionTime }) => lastTransitionTime);
  expect(times).toEqual(['2026-01-01T00:00:00Z', ...Array(3).fill('2026-06-01T12:00:00Z')]);
});

test('a gateway with an error that the first gateway is over has some time to follow', () => {
  const before = wellStore();
  const [first, second] = before.observed.pods.filter(({ component }) => component === 'gateway');
  if (first === undefined || second === undefined) throw new Error('two gateways are needed');
  const readyFor = (seconds: number) => {
    const status = { conditions: [readySince(NOW - seconds * 1_000)] };
    const observed = {
      ...before.observed,
      store: store(ON_S3, {}, status),
      pods: before.observed.pods.map((pod) => (pod === second ? { ...pod, ready: false } : pod)),
      reports: new Map(before.observed.reports).set(
        second.uid,
        errorReport({ code: 'storage_denied', message: 'access denied' }),
      ),
      gateway: { ...(before.observed.gateway as ObservedDeployment), available: 1, ready: 1 },
    };
    return conditionsOf({ ...before, observed }).Ready;
  };
  expect(readyFor(20)).toBe('True Ready');
  expect(readyFor(60)).toBe('True FewerPods');
});

test('a status that cannot be read is decided anew', () => {
  for (const status of [
    'text',
    { conditions: 'none', retention: 7 },
    { conditions: [{ type: 'Ready' }, null] },
  ]) {
    const before = wellStore();
    const situation = { ...before, observed: { ...before.observed, store: store(ON_S3, {}, status) } };
    expect(decideStatus(situation)).toEqual(decideStatus(before));
  }
});

test('the pass of a new pod is not late at once, though the last pass was long ago', () => {
  const before = wellStore(ON_A_VOLUME);
  const status = { retention: { lastCompletedTime: new Date(NOW - 100 * HOUR).toISOString() } };
  const pods = before.observed.pods.map((pod) => ({ ...pod, createdAt: NOW - 1_000 }));
  const observed = { ...before.observed, pods, store: store(ON_A_VOLUME, {}, status), reports: new Map() };
  expect(conditionsOf({ ...before, observed })).toMatchObject({ ReaperHealthy: 'True Reaping' });
});
