import { at } from '@largepayload/crds';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import type { KubernetesObject, ResourceKind } from '../kubernetes/api.ts';
import { NEVER, store } from '../kubernetes/api-server.fixture.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  LARGE_PAYLOAD_STORES,
  NETWORK_POLICIES,
  POD_DISRUPTION_BUDGETS,
  POD_EVENTS,
  PODS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../kubernetes/resources.ts';
import { controllerBed } from './controller.fixture.ts';

const { bed, api, get, create, remove, there, gone, untilReady, change, editStore } = controllerBed();
const REPLICA_SET = {
  ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'orders-gateway-1', uid: crypto.randomUUID() },
  controller: true,
};

test('a store gets everything that it needs, owned by it, and a status', async () => {
  const namespace = await bed.newNamespace();
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'));
  for (const [resource, name] of [
    [SERVICE_ACCOUNTS, 'orders-gateway'],
    [SERVICE_ACCOUNTS, 'orders-reaper'],
    [NETWORK_POLICIES, 'orders-gateway'],
    [NETWORK_POLICIES, 'orders-reaper'],
    [POD_DISRUPTION_BUDGETS, 'orders-gateway'],
    [SERVICES, 'orders-gateway'],
    [DEPLOYMENTS, 'orders-gateway'],
    [DEPLOYMENTS, 'orders-reaper'],
  ] as const) {
    const { metadata } = await there(resource, namespace, name);
    expect(metadata.ownerReferences).toMatchObject([{ kind: 'LargePayloadStore', name: 'orders' }]);
  }
  await untilReady(namespace, 'orders', 'Starting');
  expect(at((await get(LARGE_PAYLOAD_STORES, namespace, 'orders'))?.status, 'endpoint')).toBe(
    `https://orders-gateway.${namespace}.svc:8577`,
  );
});

test('an object that others delete or change is repaired, and their own fields are left alone', async () => {
  const namespace = await bed.newNamespace();
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'));
  const deployment = await there(DEPLOYMENTS, namespace, 'orders-gateway');
  const uid = (await there(SERVICES, namespace, 'orders-gateway')).metadata.uid;
  await remove(SERVICES, namespace, 'orders-gateway');
  await eventualValue(async () => {
    const found = await get(SERVICES, namespace, 'orders-gateway');
    return found !== undefined && found.metadata.uid !== uid ? found : undefined;
  }, 10_000);
  await change(DEPLOYMENTS, deployment, {
    metadata: { ...deployment.metadata, labels: { ...deployment.metadata.labels, team: 'payments' } },
    spec: { ...(deployment.spec as object), replicas: 7 },
  });
  const repaired = await eventualValue(async () => {
    const found = await get(DEPLOYMENTS, namespace, 'orders-gateway');
    return at(found?.spec, 'replicas') === 2 ? found : undefined;
  }, 10_000);
  expect(repaired.metadata.labels).toMatchObject({ team: 'payments' });
  // Metadata is no part of what the API server counts as a Deployment's generation.
  const { ownerReferences, ...metadata } = repaired.metadata;
  await change(DEPLOYMENTS, repaired, { metadata });
  await eventualValue(async () => {
    const found = await get(DEPLOYMENTS, namespace, 'orders-gateway');
    return found?.metadata.ownerReferences?.[0]?.uid === ownerReferences?.[0]?.uid ? found : undefined;
  }, 10_000);
});

test('nothing is written again when nothing has changed', async () => {
  const namespace = await bed.newNamespace();
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'));
  await untilReady(namespace, 'orders', 'Starting');
  const versions = async () => {
    const objects = await Promise.all([
      get(LARGE_PAYLOAD_STORES, namespace, 'orders'),
      get(DEPLOYMENTS, namespace, 'orders-gateway'),
      get(SERVICES, namespace, 'orders-gateway'),
    ]);
    return objects.map((object) => object?.metadata.resourceVersion);
  };
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const before = await versions();
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await versions()).toEqual(before);
});

test('an object that was not made for the store is never taken over, and the store goes on once it has gone', async () => {
  const namespace = await bed.newNamespace();
  const theirs = {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name: 'orders-gateway' } },
    spec: { ports: [{ port: 80 }], selector: { app: 'theirs' } },
  };
  await create(SERVICES, theirs);
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace, name: 'returns-gateway' },
  };
  await create(SERVICE_ACCOUNTS, account);
  for (const name of ['orders', 'returns']) await create(LARGE_PAYLOAD_STORES, store(namespace, name));
  expect(await untilReady(namespace, 'orders', 'NameTaken')).toContain('the Service orders-gateway exists');
  expect(await untilReady(namespace, 'returns', 'NameTaken')).toContain(
    'set spec.gateway.serviceAccountName: returns-gateway',
  );
  expect((await get(SERVICES, namespace, 'orders-gateway'))?.spec).toMatchObject({
    selector: { app: 'theirs' },
  });
  const kept = await get(SERVICE_ACCOUNTS, namespace, 'returns-gateway');
  expect(kept?.metadata).not.toHaveProperty('ownerReferences');
  await remove(SERVICES, namespace, 'orders-gateway');
  await remove(SERVICE_ACCOUNTS, namespace, 'returns-gateway');
  await untilReady(namespace, 'orders', 'Starting');
  await untilReady(namespace, 'returns', 'Starting');
});

test.each<[string, ResourceKind, string, object]>([
  [
    'a Service without a selector',
    SERVICES,
    'orders-gateway',
    { spec: { ports: [{ name: 'web', port: 80 }] } },
  ],
  ['a ConfigMap with another key', CONFIG_MAPS, 'orders-claimed', { data: { theirs: 'x' } }],
])('%s, which no apply conflicts with, is never taken over', async (_what, kind, name, fields) => {
  const namespace = await bed.newNamespace();
  const metadata = { namespace, name };
  await create(kind, { apiVersion: 'v1', kind: kind.kind, metadata, ...fields });
  const object = store(namespace, 'orders');
  await create(LARGE_PAYLOAD_STORES, object);
  await api().applyStatus(
    LARGE_PAYLOAD_STORES,
    { ...object, status: { storageID: `${namespace}/orders/1` } },
    NEVER,
    'test',
  );
  expect(await untilReady(namespace, 'orders', 'NameTaken')).toContain(`the ${kind.kind} ${name} exists`);
  const kept = await get(kind, namespace, name);
  expect(kept?.metadata).not.toHaveProperty('ownerReferences');
  expect(kept?.metadata).not.toHaveProperty('labels');
});

test('no pod is made while the policy of others would leave it open to all pods', async () => {
  const namespace = await bed.newNamespace();
  const theirs = {
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
    ...{ metadata: { namespace, name: 'orders-gateway' }, spec: { podSelector: {}, ingress: [{}] } },
  };
  await create(NETWORK_POLICIES, theirs);
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'));
  await untilReady(namespace, 'orders', 'NameTaken');
  expect(await get(DEPLOYMENTS, namespace, 'orders-gateway')).toBeUndefined();
  await remove(NETWORK_POLICIES, namespace, 'orders-gateway');
  await there(DEPLOYMENTS, namespace, 'orders-gateway');
});

test('a store that comes to keep for ever loses its reaper', async () => {
  const namespace = await bed.newNamespace();
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'));
  await there(DEPLOYMENTS, namespace, 'orders-reaper');
  await untilReady(namespace, 'orders', 'Starting');
  await editStore(namespace, 'orders', { retention: { ttl: 'Forever' } });
  await gone(DEPLOYMENTS, namespace, 'orders-reaper');
  await gone(NETWORK_POLICIES, namespace, 'orders-reaper');
  expect(await get(DEPLOYMENTS, namespace, 'orders-gateway')).toBeDefined();
});

test("the status names the Secret that a pod waits for, by the kubelet's Event", async () => {
  const namespace = await bed.newNamespace();
  const orders = store(namespace, 'orders');
  const gateway = { credentialsSecretRef: { name: 'orders-s3' } };
  await create(LARGE_PAYLOAD_STORES, { ...orders, spec: { ...(orders.spec as object), gateway } });
  const { spec } = await there(DEPLOYMENTS, namespace, 'orders-gateway');
  const template = at(spec, 'template') as KubernetesObject;
  const made = await create(PODS, {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { ...template.metadata, namespace, name: 'orders-gateway-1', ownerReferences: [REPLICA_SET] },
    spec: { ...(template.spec as object), nodeName: 'node0' },
  });
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const about = { kind: 'Pod', namespace, name: 'orders-gateway-1', uid: made.metadata.uid };
  await create(POD_EVENTS, {
    ...{ apiVersion: 'v1', kind: 'Event', metadata: { namespace, name: 'orders-gateway-1.1' } },
    ...{ involvedObject: about, type: 'Warning', reason: 'FailedMount', lastTimestamp: now },
    message: 'MountVolume.SetUp failed for volume "credentials" : secret "orders-s3" not found',
  });
  expect(await untilReady(namespace, 'orders', 'SecretMissing')).toContain('the Secret orders-s3');
});

test('the operator goes on after the API server was away', async () => {
  const namespace = await bed.newNamespace();
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'before'));
  await there(DEPLOYMENTS, namespace, 'before-gateway');
  await bed.controlPlane().restart({ signal: 'SIGKILL', goneForMs: 1_000 });
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'after'));
  await eventualValue(() => get(DEPLOYMENTS, namespace, 'after-gateway'), 30_000);
  const config = await api().list({ resource: CONFIG_MAPS, namespace }, { limit: 10 }, NEVER);
  expect(config.items).toHaveLength(4);
});
