import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { at, listAt, textAt } from '@largepayload/crds';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { podOf } from './admission/admission.fixture.ts';
import { NEVER, store } from './kubernetes/api-server.fixture.ts';
import { LARGE_PAYLOAD_STORES, MUTATING_WEBHOOK_CONFIGURATIONS } from './kubernetes/resources.ts';
import { type MadePod, type Replica, WEBHOOK, webhookBed } from './webhook-bed.fixture.ts';

const SIDECAR = 'large-payload-sidecar';
const { bed, replicas, balance, applyEntries, makePod, newNamespace } = webhookBed();

const podNamed = (name: string, inject?: string, spec?: object) => {
  // There is no controller here that gives a pod its account.
  const pod = podOf(inject, { serviceAccountName: 'default', ...spec });
  return { ...pod, metadata: { ...pod.metadata, name } };
};
const isInjected = ({ object }: MadePod) => listAt(object.spec, 'initContainers')[0]?.name === SIDECAR;
const environmentOf = ({ object }: MadePod, container: string) => {
  const found = listAt(object.spec, 'containers').find(({ name }) => name === container);
  return listAt(found, 'env').map(({ name }) => name);
};
async function namespaceWithStore(): Promise<string> {
  const namespace = await newNamespace('documents');
  await bed.api().create(LARGE_PAYLOAD_STORES, store(namespace, 'documents'), NEVER);
  return namespace;
}

test('a pod of a labelled namespace gets the sidecar at once, whether it is made or tried', async () => {
  const namespace = await namespaceWithStore();
  for (const query of ['', 'dryRun=All']) {
    const made = await makePod(namespace, podNamed('worker'), query);
    expect(made.status).toBe(201);
    expect(isInjected(made)).toBe(true);
    expect(environmentOf(made, 'worker')).toEqual([
      'LARGE_PAYLOAD_SERVICE_URL',
      'LARGE_PAYLOAD_THRESHOLD_BYTES',
    ]);
    if (query === '') await bed.api().delete(podAt(namespace), undefined, NEVER);
  }
});

const podAt = (namespace: string) => ({
  resource: { group: '', version: 'v1', kind: 'Pod', plural: 'pods' },
  ...{ namespace, name: 'worker' },
});

test('the label of a pod wins over that of its namespace', async () => {
  const [labelled, plain] = [await namespaceWithStore(), await newNamespace()];
  const tried = (namespace: string, inject?: string, spec?: object) =>
    makePod(namespace, podNamed('worker', inject, spec), 'dryRun=All');
  expect(isInjected(await tried(labelled, 'false'))).toBe(false);
  expect(isInjected(await tried(plain))).toBe(false);
  const other = await tried(plain, `documents.${labelled}`);
  expect(isInjected(other)).toBe(false);
  expect(other.warnings.join()).toContain('spec.allowedNamespaces');
  const missing = await tried(plain, 'documents');
  expect(isInjected(missing)).toBe(true);
  expect(missing.warnings.join()).toContain('does not exist');
  const onHost = await tried(labelled, undefined, { hostNetwork: true });
  expect(onHost).toMatchObject({ status: 201 });
  expect(isInjected(onHost)).toBe(false);
  expect(onHost.warnings.join()).toContain('hostNetwork');
  expect(isInjected(await tried('kube-system', 'documents'))).toBe(false);
});

test('a container that another webhook adds later gets the environment, and the pod no second sidecar', async () => {
  const namespace = await namespaceWithStore();
  const authority = testAuthority();
  const { certificate: cert, key } = authority.issue();
  await using other = createServer({ cert, key }, async (request, response) => {
    const { request: asked } = JSON.parse((await request.toArray()).join(''));
    const extra = { op: 'add', path: '/spec/containers/-', value: { name: 'extra', image: 'extra' } };
    const has = listAt(asked.object.spec, 'containers').some(({ name }) => name === 'extra');
    const patch = Buffer.from(JSON.stringify(has ? [] : [extra])).toString('base64');
    const answer = { uid: asked.uid, allowed: true, patchType: 'JSONPatch', patch };
    response.end(
      JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }),
    );
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const url = `https://localhost:${(other.address() as AddressInfo).port}/`;
  const webhook = {
    ...{ name: 'adds.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None' },
    clientConfig: { url, caBundle: Buffer.from(authority.certificate).toString('base64') },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  };
  const { apiVersion, kind } = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
  };
  // Webhooks are called in the order of these names.
  const configuration = { apiVersion, kind, metadata: { name: 'zz-adds' }, webhooks: [webhook] };
  await bed.api().create(MUTATING_WEBHOOK_CONFIGURATIONS, configuration, NEVER);
  let made: MadePod | undefined;
  await eventually('the other webhook is called', async () => {
    made = await makePod(namespace, podNamed('worker'), 'dryRun=All');
    return listAt(made.object.spec, 'containers').length === 2;
  });
  expect(environmentOf(made as MadePod, 'extra')).toContain('LARGE_PAYLOAD_SERVICE_URL');
  expect(listAt(made?.object.spec, 'initContainers').map(({ name }) => name)).toEqual([SIDECAR]);
  await bed
    .api()
    .delete({ resource: MUTATING_WEBHOOK_CONFIGURATIONS, namespace: '', name: 'zz-adds' }, undefined, NEVER);
});

test('while no replica can be reached, pods in scope are refused under Fail and made under Ignore, and others are made', async () => {
  const [labelled, plain] = [await namespaceWithStore(), await newNamespace()];
  const tried = (namespace: string) => makePod(namespace, podNamed('worker'), 'dryRun=All');
  for (const { proxy } of replicas) proxy.cut();
  try {
    const refused = await tried(labelled);
    expect(refused.status).toBe(500);
    expect(refused.object.message).toContain('namespace.inject.largepayload.dev');
    expect((await tried(plain)).status).toBe(201);
    await applyEntries({ failurePolicy: 'Ignore' });
    await eventually('it is ignored', async () => (await tried(labelled)).status === 201);
    expect(isInjected(await tried(labelled))).toBe(false);
  } finally {
    for (const { proxy } of replicas) proxy.heal();
    await applyEntries({});
  }
  await eventually('it is injected again', async () => isInjected(await tried(labelled)));
});

test('a caBundle that is edited, or removed with its entry, is written again', async () => {
  const caBundles = async () => {
    const name = { resource: MUTATING_WEBHOOK_CONFIGURATIONS, namespace: '', name: WEBHOOK };
    const found = await bed.api().get(name, NEVER);
    return listAt(found, 'webhooks').map((entry) => textAt(entry, 'clientConfig', 'caBundle'));
  };
  const before = await caBundles();
  expect(before).toEqual([before[0], before[0]]);
  const metadata = { name: WEBHOOK };
  const { apiVersion, kind } = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
  };
  const [first] = ['namespace.inject.largepayload.dev'];
  const caBundle = Buffer.from(testAuthority().certificate).toString('base64');
  const edited = { apiVersion, kind, metadata, webhooks: [{ name: first, clientConfig: { caBundle } }] };
  await bed.api().patch(MUTATING_WEBHOOK_CONFIGURATIONS, edited, NEVER);
  await eventually('the bundle is back', async () => (await caBundles()).join() === before.join());
  await bed
    .api()
    .delete({ resource: MUTATING_WEBHOOK_CONFIGURATIONS, namespace: '', name: WEBHOOK }, undefined, NEVER);
  await applyEntries({});
  await eventually('the new entries have it', async () => (await caBundles()).join() === before.join());
  // The rest is the chart's: another release of it finds no conflict.
  const found = await bed
    .api()
    .get({ resource: MUTATING_WEBHOOK_CONFIGURATIONS, namespace: '', name: WEBHOOK }, NEVER);
  const written = listAt(found?.metadata, 'managedFields').filter(({ operation }) => operation === 'Update');
  for (const { fieldsV1 } of written)
    for (const entry of Object.values(at(fieldsV1, 'f:webhooks') as object))
      expect(Object.keys(entry)).toEqual(['f:clientConfig']);
});

const one = () => replicas[0] as Replica;
const other = () => replicas[1] as Replica;
const isGood = (made: MadePod) => made.status === 201 && isInjected(made);

/** Makes pods, four at a time, until `meanwhile` has ended. @returns all that were made */
async function makingPods(
  meanwhile: (outcomes: readonly MadePod[]) => Promise<void>,
): Promise<readonly MadePod[]> {
  const namespace = await namespaceWithStore();
  const outcomes: MadePod[] = [];
  let isOver = false;
  const stream = Array.from({ length: 4 }, async () => {
    while (!isOver) outcomes.push(await makePod(namespace, podNamed('worker'), 'dryRun=All'));
  });
  try {
    await eventually('pods are made', () => outcomes.length > 20);
    await meanwhile(outcomes);
  } finally {
    isOver = true;
    await Promise.all(stream);
  }
  return outcomes;
}

test('after a replica has died, the other serves as soon as the Service leads to it alone', async () => {
  await makingPods(async (outcomes) => {
    one().proxy.cut();
    balance(other());
    const count = outcomes.length;
    await eventually(
      '20 in a row are injected',
      () => outcomes.length > count + 20 && outcomes.slice(-20).every(isGood),
    );
  });
  one().proxy.heal();
  balance(one(), other());
});

test('a replica that is taken out of the Service and ends refuses no pod', async () => {
  const outcomes = await makingPods(async (made) => {
    balance(other());
    await one().stop();
    const count = made.length;
    await eventually('the other serves', () => made.length > count + 20);
  });
  expect(outcomes.filter((made) => !isGood(made))).toEqual([]);
});
