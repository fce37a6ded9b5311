import { at, listAt, textAt } from '@largepayload/crds';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { NEVER, store } from '../kubernetes/api-server.fixture.ts';
import { DEPLOYMENTS, LARGE_PAYLOAD_STORES, PODS } from '../kubernetes/resources.ts';
import { controllerBed } from './controller.fixture.ts';

const { bed, api, get, create, there, untilReady } = controllerBed();
const WEBHOOKS = {
  ...{ group: 'admissionregistration.k8s.io', version: 'v1' },
  ...{ kind: 'ValidatingWebhookConfiguration', plural: 'validatingwebhookconfigurations' },
};

/** A webhook for the Deployments of a namespace, whose Service does not exist. */
function brokenWebhook(namespace: string, name: string): KubernetesObject {
  const rule = { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['*'], resources: ['deployments'] };
  return {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: WEBHOOKS.kind, metadata: { name } },
    webhooks: [
      {
        ...{ name: 'broken.example.com', sideEffects: 'None', admissionReviewVersions: ['v1'] },
        ...{ rules: [rule], failurePolicy: 'Fail' },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        clientConfig: { service: { namespace, name: 'absent' } },
      },
    ],
  };
}

/** Makes the status of a Deployment all of whose pods run, at an address where no program answers. */
async function run(namespace: string, deployment: KubernetesObject, podIP: string): Promise<void> {
  const { name } = deployment.metadata;
  const template = at(deployment.spec, 'template') as KubernetesObject;
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name,
    uid: crypto.randomUUID(),
    controller: true,
  };
  const pod = {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { ...template.metadata, namespace, name: `${name}-1`, ownerReferences: [owner] },
  };
  await create(PODS, { ...pod, spec: { ...(template.spec as object), nodeName: 'node0' } });
  const startedAt = new Date(Date.now() - 120_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const container = { name: 'payload-store', image: 'x', imageID: '', ready: true, restartCount: 0 };
  const status = {
    ...{ phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions: [{ type: 'Ready', status: 'True' }] },
    containerStatuses: [{ ...container, state: { running: { startedAt } } }],
  };
  await api().applyStatus(PODS, { ...pod, metadata: { namespace, name: pod.metadata.name }, status }, NEVER);
  const counts = {
    observedGeneration: 1,
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 2,
  };
  const { apiVersion, kind } = deployment;
  await api().applyStatus(
    DEPLOYMENTS,
    { apiVersion, kind, metadata: { namespace, name }, status: counts },
    NEVER,
  );
}

test('the status names a webhook of the cluster that does not work', async () => {
  const namespace = await bed.newNamespace();
  await create(WEBHOOKS, brokenWebhook(namespace, `broken-${namespace}`));
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'));
  expect(await untilReady(namespace, 'orders', 'WebhookFailed')).toContain('broken.example.com');
  await api().delete({ resource: WEBHOOKS, namespace: '', name: `broken-${namespace}` }, undefined, NEVER);
  await there(DEPLOYMENTS, namespace, 'orders-gateway');
  await untilReady(namespace, 'orders', 'Starting');
});

test('the status is Unknown when gateways are ready and cannot be polled', async () => {
  const namespace = await bed.newNamespace();
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'));
  await run(namespace, await there(DEPLOYMENTS, namespace, 'orders-reaper'), '127.0.81.1');
  await run(namespace, await there(DEPLOYMENTS, namespace, 'orders-gateway'), '127.0.81.2');
  expect(await untilReady(namespace, 'orders', 'PodUnreachable')).toContain(
    'pod orders-gateway-1 on port 8578',
  );
  const conditions = await eventualValue(async () =>
    listAt((await get(LARGE_PAYLOAD_STORES, namespace, 'orders'))?.status, 'conditions'),
  );
  const statuses = conditions.map(
    (condition) => `${textAt(condition, 'type')} ${textAt(condition, 'status')}`,
  );
  expect(statuses).toEqual(expect.arrayContaining(['Ready Unknown', 'GatewayAvailable True']));
});
