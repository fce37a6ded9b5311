import { expect, test } from 'vitest';
import { CONFIG_MAPS } from '../../kubernetes/resources.ts';
import { desiredFor, objectNamed } from '../stores.fixture.ts';
import { mapDeployment } from './deployment.ts';
import { mapObject } from './object.ts';
import { mapPod } from './pod.ts';

const desired = desiredFor();
const deployment = objectNamed(desired, 'Deployment orders-gateway');
const { template } = deployment.spec;

test('a Deployment is mapped from its spec and from the status that its controller writes', () => {
  const projected = mapDeployment({
    ...deployment,
    metadata: { ...deployment.metadata, uid: 'u1', generation: 4, resourceVersion: '99' },
    status: {
      ...{ observedGeneration: 4, replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 },
      conditions: [
        { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'm' },
        { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' },
      ],
    },
  });
  expect(projected).toMatchObject({
    ...{ name: 'orders-gateway', namespace: 'payments', store: 'orders', uid: 'u1', resourceVersion: '99' },
    ...{ generation: 4, observedGeneration: 4, wanted: 2, replicas: 2, updated: 2, ready: 1, available: 1 },
    controller: '2f1d7c3e-8a51-4a55-9f0e-5b6c1d2e3f40',
    objectHash: deployment.metadata.annotations['largepayload.dev/object-hash'],
    configHash: template.metadata.annotations['largepayload.dev/config-hash'],
    templateHash: template.metadata.annotations['largepayload.dev/template-hash'],
    replicaFailure: { status: 'True', reason: 'FailedCreate', message: 'exceeded quota' },
    progressing: undefined,
  });
});

test('a pod that ends again and again is mapped from the container of the service, and not from one of a mesh', () => {
  const projected = mapPod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ ...template.metadata, name: 'p', uid: 'u', creationTimestamp: '2026-06-01T11:00:00Z' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'orders-gateway-1', uid: 'r', controller: true },
      ],
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'mesh', image: 'mesh' }, ...template.spec.containers] },
    status: {
      ...{ phase: 'Running', podIP: '10.0.0.1' },
      conditions: [
        { type: 'PodScheduled', status: 'True' },
        { type: 'Ready', status: 'False', reason: 'ContainersNotReady' },
      ],
      containerStatuses: [
        { name: 'mesh', restartCount: 7, state: { running: { startedAt: '2026-06-01T11:00:01Z' } } },
        {
          name: 'payload-store',
          restartCount: 3,
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 20s' } },
          lastState: { terminated: { exitCode: 2, reason: 'Error', message: 'payload-store: bad' } },
        },
      ],
    },
  });
  expect(projected).toMatchObject({
    ...{ name: 'p', uid: 'u', store: 'orders', component: 'gateway', node: 'node-1', ip: '10.0.0.1' },
    ...{ ready: false, restarts: 3, image: 'registry.example/payload-store:0.1.0', runningSince: undefined },
    createdAt: Date.parse('2026-06-01T11:00:00Z'),
    waiting: { reason: 'CrashLoopBackOff', message: 'back-off 20s' },
    ended: { exitCode: 2, reason: 'Error', message: 'payload-store: bad' },
    configHash: template.metadata.annotations['largepayload.dev/config-hash'],
  });
});

test('a pod that no ReplicaSet made belongs to no store, whatever its labels say', () => {
  const metadata = { ...template.metadata, name: 'p', uid: 'u' };
  expect(mapPod({ apiVersion: 'v1', kind: 'Pod', metadata }).store).toBeUndefined();
});

test('any object is mapped from its metadata alone', () => {
  const { object, hash } = desired.find((each) => each.resource === CONFIG_MAPS) ?? {};
  const { data: _, ...metadataOnly } = object as NonNullable<typeof object>;
  expect(mapObject(CONFIG_MAPS, metadataOnly)).toMatchObject({
    ...{ name: object?.metadata.name, store: 'orders', objectHash: hash, deleting: false },
    configHash: object?.metadata.name.replace('orders-config-', ''),
  });
});

/** As another server, an older version or a test tool may write them. */
test.each([
  {},
  { metadata: null },
  { metadata: { name: 7, labels: [], annotations: 'x', ownerReferences: {} }, spec: 1, status: [] },
  {
    metadata: { creationTimestamp: 'never', ownerReferences: [null, 'x'] },
    spec: { containers: [null, { name: 3 }], replicas: 'two', template: null },
    status: {
      conditions: [null, 1, {}],
      containerStatuses: [{ name: 'payload-store', state: 'gone', lastState: [] }],
    },
  },
])('an object of unexpected shape is mapped without an error: %j', (object) => {
  const raw = object as never;
  expect(mapDeployment(raw)).toMatchObject({ replicas: 0, available: 0, controller: undefined });
  expect(mapPod(raw)).toMatchObject({ ready: false, restarts: 0, component: undefined });
  expect(mapObject(CONFIG_MAPS, raw)).toMatchObject({ deleting: false, store: undefined });
});
