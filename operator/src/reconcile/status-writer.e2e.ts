import { at, listAt } from '@largepayload/crds';
import { beforeAll, expect, test } from 'vitest';
import type { KubernetesApi } from '../kubernetes/api.ts';
import { apiBed, applyCrd, NEVER, store } from '../kubernetes/api-server.fixture.ts';
import { LARGE_PAYLOAD_STORES } from '../kubernetes/resources.ts';
import { type Condition, readStore } from '../stores/read-store.ts';
import { StatusWriter } from './status-writer.ts';

const bed = apiBed();
let api: KubernetesApi;
beforeAll(async () => {
  api = bed.api();
  await applyCrd(api);
});

const condition = (type: string, status: Condition['status'], reason: string): Condition => ({
  ...{ type, status, reason, message: reason, observedGeneration: 1 },
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

test('two writers with field managers of their own keep the conditions and fields of each other', async () => {
  const namespace = await bed.newNamespace();
  await api.create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'), NEVER);
  const found = async () => {
    const object = await api.get({ resource: LARGE_PAYLOAD_STORES, namespace, name: 'orders' }, NEVER);
    if (object === undefined) throw new Error('the store has gone');
    return object;
  };
  const events: string[] = [];
  const record = (_: unknown, { reason }: { reason: string }) => events.push(reason);
  const stores = new StatusWriter({ api, record });
  const injection = new StatusWriter({ api, record, fieldManager: 'large-payload-operator-injection' });
  const resource = readStore(await found());
  await stores.write(
    resource,
    { endpoint: 'http://one', conditions: [condition('Ready', 'False', 'Starting')] },
    NEVER,
  );
  const current = condition('InjectionCurrent', 'True', 'AllCurrent');
  await injection.write(readStore(await found()), { pods: { injected: 3 }, conditions: [current] }, NEVER);
  await stores.write(
    resource,
    { endpoint: 'http://two', conditions: [condition('Ready', 'True', 'Ready')] },
    NEVER,
  );
  const { status } = await found();
  const reasons = listAt(status, 'conditions').map(({ type, reason }) => `${type} ${reason}`);
  expect(reasons.sort()).toEqual(['InjectionCurrent AllCurrent', 'Ready Ready']);
  expect(at(status, 'endpoint')).toBe('http://two');
  expect(at(status, 'pods', 'injected')).toBe(3);
  expect(events).toEqual(['Starting', 'AllCurrent', 'Ready'].filter((reason) => events.includes(reason)));
});
