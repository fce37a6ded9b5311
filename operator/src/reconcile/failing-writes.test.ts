import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterEach, expect, test, vi } from 'vitest';
import type { Asked } from '../kubernetes/scripted-server.fixture.ts';
import { scriptedCluster, storeOf } from './scripted-cluster.fixture.ts';

afterEach(() => {
  vi.useRealTimers();
});

const isOfGateway = ({ method, path }: Asked) =>
  method === 'PATCH' && path.endsWith('deployments/orders-gateway');

const isOfStatus = ({ path }: Asked) => path.endsWith('/status');

test('a status is written though an object of the store cannot be, and that is tried again', async () => {
  let tries = 0;
  await using cluster = await scriptedCluster({ largepayloadstores: [storeOf('orders')] }, (asked) => {
    if (!isOfGateway(asked)) return undefined;
    tries++;
    return 500;
  });
  expect(await eventualValue(() => cluster.ready('orders'), 4_000)).toBe('False Creating');
  await eventualValue(() => (tries >= 3 ? true : undefined), 4_000);
});

test('a status that cannot be written either hides nothing, and is tried again', async () => {
  let isDown = true;
  await using cluster = await scriptedCluster({ largepayloadstores: [storeOf('orders')] }, (asked) => {
    if (!isDown || asked.method !== 'PATCH') return undefined;
    return isOfGateway(asked) ? 500 : isOfStatus(asked) ? 503 : undefined;
  });
  await eventualValue(() => (cluster.failures.length >= 3 ? true : undefined), 4_000);
  for (const failure of cluster.failures) expect(failure).toContain('apply deployments shop/orders-gateway');
  expect(cluster.ready('orders')).toBeUndefined();
  isDown = false;
  expect(await eventualValue(() => cluster.ready('orders'), 4_000)).toBe('False Creating');
});

test('the status gives the reason once a failure has lasted', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  await using cluster = await scriptedCluster({ largepayloadstores: [storeOf('orders')] }, (asked) =>
    isOfGateway(asked) ? 500 : undefined,
  );
  await eventualValue(() => cluster.ready('orders'));
  expect(cluster.ready('orders')).toBe('False Creating');
  vi.advanceTimersByTime(20_000);
  await eventualValue(() => (cluster.ready('orders') === 'False Refused' ? true : undefined));
});
