import { at, listAt, textAt } from '@largepayload/crds';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { ApiError, type KubernetesObject, type ResourceKind } from '../kubernetes/api.ts';
import { apiBed, applyCrd, NEVER, store } from '../kubernetes/api-server.fixture.ts';
import { CONFIG_MAPS, DEPLOYMENTS, LARGE_PAYLOAD_STORES, NAMESPACES } from '../kubernetes/resources.ts';
import type { CertificateSource } from './certificates/certificate-source.ts';
import { runController } from './running-controller.fixture.ts';

const FIRST = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const SECOND = `${FIRST}-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n`;
/** ms in which the operator would have done what it must not */
const TIME_TO_HARM = 2_000;

const bed = apiBed();
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => await applyCrd(bed.api()));
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** An operator at work, with certificates that the test changes. @param made resolves once certificates are made */
function operator(made: Promise<void> = Promise.resolve()) {
  const source: CertificateSource & { bundle: string | undefined } = {
    ...{ bundle: FIRST, problem: undefined, authority: undefined },
    // The controller looks again a second later.
    lookAtAuthority: async () => true,
    settle: async () => await made.then(() => ({})),
    remove: async () => {},
  };
  const stop = runController(bed.api(), pino({ level: 'silent' }), () => {}, source);
  stops.push(stop);
  return { source, stop };
}

const get = (resource: ResourceKind, namespace: string, name: string) =>
  bed.api().get({ resource, namespace, name }, NEVER);
const remove = (resource: ResourceKind, namespace: string, name: string) =>
  bed.api().delete({ resource, namespace, name }, undefined, NEVER);
/** A write that was refused may be tried again a minute later only. */
const eventually = <T>(ask: () => Promise<T | undefined>) => eventualValue(ask, 90_000);
const bundleIn = async (namespace: string, name: string) =>
  textAt(await get(CONFIG_MAPS, namespace, name), 'data', 'ca.crt');
const published = (namespace: string, name: string, bundle = FIRST) =>
  eventually(async () => ((await bundleIn(namespace, name)) === bundle ? true : undefined));
const gone = (namespace: string, name: string) =>
  eventually(async () => ((await get(CONFIG_MAPS, namespace, name)) === undefined ? true : undefined));
const statusOf = async (namespace: string) =>
  (await get(LARGE_PAYLOAD_STORES, namespace, 'orders'))?.status as { authentication?: string } | undefined;

async function createStore(namespace: string, fields: object = {}): Promise<KubernetesObject> {
  const object = store(namespace, 'orders');
  const spec = { ...(object.spec as object), ...fields };
  return await bed.api().create(LARGE_PAYLOAD_STORES, { ...object, spec }, NEVER);
}

async function edit(
  resource: ResourceKind,
  namespace: string,
  name: string,
  changed: (before: KubernetesObject) => object,
): Promise<void> {
  await eventually(async () => {
    const before = await get(resource, namespace, name);
    if (before === undefined) return undefined;
    const writing = bed.api().replace(resource, { ...before, ...changed(before) }, NEVER);
    return await writing.then(
      () => true,
      (error: unknown) => {
        if (error instanceof ApiError && error.reason === 'Conflict') return undefined;
        throw error;
      },
    );
  });
}

const editSpec = (namespace: string, fields: object) =>
  edit(LARGE_PAYLOAD_STORES, namespace, 'orders', ({ spec }) => ({
    spec: { ...(spec as object), ...fields },
  }));

test('certificates are published, repaired, replaced, and taken back with the permission and the store', async () => {
  const [namespace, workers, starters] = [
    await bed.newNamespace(),
    await bed.newNamespace(),
    await bed.newNamespace(),
  ];
  const late = `${namespace}-late`;
  const name = `orders.${namespace}-ca`;
  await createStore(namespace, { allowedNamespaces: [late, workers, starters] });
  const { source } = operator();
  await published(namespace, 'orders-ca');
  for (const each of [workers, starters]) await published(each, name);
  await bed
    .api()
    .create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: late } }, NEVER);
  await published(late, name);
  await remove(CONFIG_MAPS, workers, name);
  await edit(CONFIG_MAPS, starters, name, () => ({ data: { 'ca.crt': 'theirs' } }));
  await published(workers, name);
  await published(starters, name);
  source.bundle = SECOND;
  await published(namespace, 'orders-ca', SECOND);
  for (const each of [workers, starters, late]) await published(each, name, SECOND);
  // A restarted operator does not know them for a moment, and leaves what was published.
  source.bundle = undefined;
  await editSpec(namespace, { allowedNamespaces: [workers, late] });
  await gone(starters, name);
  expect(await bundleIn(namespace, 'orders-ca')).toBe(SECOND);
  expect(await bundleIn(workers, name)).toBe(SECOND);
  await remove(LARGE_PAYLOAD_STORES, namespace, 'orders');
  for (const each of [workers, late]) await gone(each, name);
});

test('certificates of a store that was deleted while the operator was away go when it is back', async () => {
  const [namespace, starters] = [await bed.newNamespace(), await bed.newNamespace()];
  const name = `orders.${namespace}-ca`;
  await createStore(namespace, { allowedNamespaces: [starters] });
  const { stop } = operator();
  await published(starters, name);
  await stop();
  await remove(LARGE_PAYLOAD_STORES, namespace, 'orders');
  operator();
  await gone(starters, name);
});

test('a ConfigMap of others is neither overwritten nor deleted, and keeps no store from its objects', async () => {
  const [namespace, starters] = [await bed.newNamespace(), await bed.newNamespace()];
  const name = `orders.${namespace}-ca`;
  const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: starters, name } };
  await bed.api().create(CONFIG_MAPS, { ...theirs, data: { theirs: 'x' } }, NEVER);
  await createStore(namespace, { allowedNamespaces: [starters] });
  operator();
  await published(namespace, 'orders-ca');
  await eventually(() => get(DEPLOYMENTS, namespace, 'orders-gateway'));
  await eventually(async () => (await statusOf(namespace))?.authentication);
  await editSpec(namespace, { allowedNamespaces: [] });
  await new Promise((resolve) => setTimeout(resolve, TIME_TO_HARM));
  const kept = await get(CONFIG_MAPS, starters, name);
  expect(kept?.data).toEqual({ theirs: 'x' });
  expect(kept?.metadata).not.toHaveProperty('labels');
  const ready = listAt(await statusOf(namespace), 'conditions').find(({ type }) => type === 'Ready');
  expect(ready).toMatchObject({ reason: 'Starting' });
});

test('a namespace that is being deleted gets no certificates, and the store goes on', async () => {
  const [namespace, ending] = [await bed.newNamespace(), await bed.newNamespace()];
  await bed.api().delete({ resource: NAMESPACES, namespace: '', name: ending }, undefined, NEVER);
  await createStore(namespace, { allowedNamespaces: [ending] });
  operator();
  await published(namespace, 'orders-ca');
  await eventually(() => get(DEPLOYMENTS, namespace, 'orders-gateway'));
  await eventually(async () => (await statusOf(namespace))?.authentication);
  const ready = listAt(await statusOf(namespace), 'conditions').find(({ type }) => type === 'Ready');
  expect(ready).toMatchObject({ reason: 'Starting' });
});

test('the first gateways are made once their namespace has a certificate, and the rest of the store before', async () => {
  const namespace = await bed.newNamespace();
  await createStore(namespace);
  const certificate = Promise.withResolvers<void>();
  operator(certificate.promise);
  await eventually(() => get(DEPLOYMENTS, namespace, 'orders-reaper'));
  await eventually(async () => (await statusOf(namespace))?.authentication);
  expect(await get(DEPLOYMENTS, namespace, 'orders-gateway')).toBeUndefined();
  certificate.resolve();
  await eventually(() => get(DEPLOYMENTS, namespace, 'orders-gateway'));
});

test('a store of version 0.1 goes on without tokens until it is edited, and a new store begins with tokens', async () => {
  const [old, fresh] = [await bed.newNamespace(), await bed.newNamespace()];
  const { metadata } = await createStore(old);
  await bed.api().applyStatus(
    LARGE_PAYLOAD_STORES,
    {
      ...store(old, 'orders'),
      metadata: { namespace: old, name: 'orders', uid: `${metadata.uid}` },
      status: {
        observedGeneration: 1,
        endpoint: `http://orders-gateway.${old}.svc:8577`,
        replicas: 2,
        selector: 'app.kubernetes.io/instance=orders',
        conditions: [
          {
            ...{ type: 'Ready', status: 'True', reason: 'Ready', message: 'payloads are stored and served' },
            ...{ lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 },
          },
        ],
      },
    },
    NEVER,
  );
  await createStore(fresh);
  operator();
  const inForce = (namespace: string, authentication: string) =>
    eventually(async () =>
      (await statusOf(namespace))?.authentication === authentication ? true : undefined,
    );
  await inForce(old, 'Migrate');
  await inForce(fresh, 'Token');
  expect(await statusOf(old)).toMatchObject({ endpoint: `https://orders-gateway.${old}.svc:8577` });
  const pod = at(await get(DEPLOYMENTS, old, 'orders-gateway'), 'spec', 'template', 'spec');
  expect(listAt(pod, 'volumes')).toContainEqual(expect.objectContaining({ name: 'kubernetes' }));
  await editSpec(old, { gateway: { authentication: 'Token' } });
  await inForce(old, 'Token');
  // It stays in force when the field is removed.
  await editSpec(old, { gateway: {} });
  await new Promise((resolve) => setTimeout(resolve, TIME_TO_HARM));
  await inForce(old, 'Token');
});

test("every service account may read the keys of the cluster's tokens, so that a gateway needs no right of its own", async () => {
  const reviews = {
    ...{ group: 'authorization.k8s.io', version: 'v1' },
    ...{ kind: 'SubjectAccessReview', plural: 'subjectaccessreviews' },
  };
  const mayRead = async (path: string, groups: readonly string[]) => {
    const spec = {
      user: 'system:serviceaccount:payments:orders-gateway',
      groups,
      nonResourceAttributes: { path, verb: 'get' },
    };
    const review = {
      ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' },
      ...{ metadata: {} as KubernetesObject['metadata'], spec },
    };
    return at((await bed.api().create(reviews, review, NEVER)).status, 'allowed') === true;
  };
  for (const path of ['/.well-known/openid-configuration', '/openid/v1/jwks']) {
    expect(await mayRead(path, ['system:serviceaccounts', 'system:authenticated'])).toBe(true);
    expect(await mayRead(path, ['system:authenticated'])).toBe(false);
  }
});
