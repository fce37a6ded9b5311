import { expect, test } from 'vitest';
import type { KubernetesApi, KubernetesObject } from '../kubernetes/api.ts';
import type { ObservedDeployment } from '../stores/observed.ts';
import { deploymentOf } from '../stores/situation.fixture.ts';
import { desiredFor } from '../stores/stores.fixture.ts';
import { creationQuestions } from './event-questions.ts';
import { ExplainingEvents } from './explaining-events.ts';

const NEVER = new AbortController().signal;
const gateway = deploymentOf(desiredFor(), 'gateway') as ObservedDeployment;
const FAILING = {
  ...gateway,
  replicaFailure: { status: 'True', reason: 'FailedCreate', message: 'first message' },
};

const event = (name: string | undefined, message: string, lastTimestamp: string): KubernetesObject => ({
  ...{ apiVersion: 'v1', kind: 'Event', metadata: { name: message }, reason: 'FailedCreate' },
  ...{ involvedObject: { name }, message, lastTimestamp },
});

/** Events as the API server lists them: what is tested is which of them counts. */
function apiWith(list: () => Promise<{ items: KubernetesObject[] }>): KubernetesApi {
  return { list } as unknown as KubernetesApi;
}

test('a Deployment that cannot make pods is explained by the latest Event of its ReplicaSets, and not by one of a Deployment whose name begins the same', async () => {
  const items = [
    event('orders-gateway-6b9f', 'of now', '2026-06-01T12:00:00Z'),
    event('orders-gateway-6b9f', 'of before', '2026-06-01T11:00:00Z'),
    event('orders-gateway-proxy-6b9f', 'of another', '2026-06-01T13:00:00Z'),
    event(undefined, 'of nothing', '2026-06-01T13:00:00Z'),
  ];
  const failures = new ExplainingEvents(apiWith(async () => ({ items })));
  expect(await failures.refresh(creationQuestions([FAILING]), 0, NEVER)).toBe(10_000);
  expect([...failures.messages]).toEqual([['orders-gateway', 'of now']]);
});

test('Events of a Deployment that has gone or is well again are read no more', async () => {
  const failures = new ExplainingEvents(apiWith(async () => ({ items: [] })));
  await failures.refresh(creationQuestions([FAILING]), 0, NEVER);
  expect(await failures.refresh([], 1, NEVER)).toBe(Number.POSITIVE_INFINITY);
  await failures.refresh(creationQuestions([FAILING]), 2, NEVER);
  expect(await failures.refresh(creationQuestions([gateway]), 3, NEVER)).toBe(Number.POSITIVE_INFINITY);
});

test('Events that cannot be read leave the last message', async () => {
  let answer = async () => ({ items: [event('orders-gateway-6b9f', 'of now', '2026-06-01T12:00:00Z')] });
  const failures = new ExplainingEvents(apiWith(() => answer()));
  await failures.refresh(creationQuestions([FAILING]), 0, NEVER);
  answer = async () => Promise.reject(new Error('forbidden'));
  expect(await failures.refresh(creationQuestions([FAILING]), 10_000, NEVER)).toBe(10_000);
  expect([...failures.messages]).toEqual([['orders-gateway', 'of now']]);
});
