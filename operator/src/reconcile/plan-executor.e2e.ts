import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { at, listAt, textAt } from '@largepayload/crds';
import { expect, test } from 'vitest';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { NEVER, store } from '../kubernetes/api-server.fixture.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  LARGE_PAYLOAD_STORES,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../kubernetes/resources.ts';
import { configOf } from '../stores/desired/config-map.ts';
import { MANAGED_BY, STORE_LABEL } from '../stores/labels.ts';
import { CONFIG_KEY } from '../stores/names.ts';
import { readStore, type StoreSpec } from '../stores/read-store.ts';
import { controllerBed } from './controller.fixture.ts';

const { bed, api, get, create, remove, there, untilReady, change, editStore } = controllerBed();
const GATEWAY = 'orders-gateway';
const QUOTAS = { group: '', version: 'v1', kind: 'ResourceQuota', plural: 'resourcequotas' };
/** ms in which the operator would have done what it must not */
const TIME_TO_HARM = 2_000;

/** A store that was reconciled. */
async function begun(): Promise<string> {
  const namespace = await bed.newNamespace();
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'));
  await there(DEPLOYMENTS, namespace, 'orders-reaper');
  await untilReady(namespace, 'orders', 'Starting');
  return namespace;
}

/** The name of the ConfigMap that the pods of a Deployment read. */
function configurationOf({ spec }: KubernetesObject): string | undefined {
  const [name] = listAt(spec, 'template', 'spec', 'volumes').flatMap(
    (volume) => textAt(volume, 'configMap', 'name') ?? [],
  );
  return name;
}

test('no pod is made that would run as the account of others', async () => {
  const namespace = await bed.newNamespace();
  const metadata = { namespace, name: GATEWAY };
  await create(SERVICE_ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'));
  expect(await untilReady(namespace, 'orders', 'NameTaken')).toContain('ServiceAccount orders-gateway');
  await there(DEPLOYMENTS, namespace, 'orders-reaper');
  expect(await get(DEPLOYMENTS, namespace, GATEWAY)).toBeUndefined();
  await remove(SERVICE_ACCOUNTS, namespace, GATEWAY);
  await there(DEPLOYMENTS, namespace, GATEWAY);
});

test('no pod is made that would read the configuration of others', async () => {
  const { spec } = readStore(await there(LARGE_PAYLOAD_STORES, await begun(), 'orders'));
  const namespace = await bed.newNamespace();
  // Whoever knows a store can know the name, too.
  const { name } = configOf(
    { namespace, name: 'orders', spec: spec as StoreSpec, authentication: 'Token' },
    'gateway',
  );
  const metadata = { namespace, name };
  await create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [CONFIG_KEY]: '{}' } });
  await create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'));
  expect(await untilReady(namespace, 'orders', 'NameTaken')).toContain(`ConfigMap ${name}`);
  await sleep(TIME_TO_HARM);
  expect(await get(DEPLOYMENTS, namespace, GATEWAY)).toBeUndefined();
  await remove(CONFIG_MAPS, namespace, name);
  await there(DEPLOYMENTS, namespace, GATEWAY);
});

test('an edit whose configuration cannot be made leaves the pods as they are', async () => {
  const namespace = await begun();
  const before = await there(DEPLOYMENTS, namespace, GATEWAY);
  const name = 'full';
  const hard = { 'count/configmaps': '1' };
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { namespace, name }, spec: { hard } };
  await create(QUOTAS, quota);
  await api().applyStatus(QUOTAS, { ...quota, status: { hard, used: hard } }, NEVER);
  await editStore(namespace, 'orders', { maxPayloadSize: '64Mi' });
  await untilReady(namespace, 'orders', 'QuotaExceeded');
  await sleep(TIME_TO_HARM);
  expect(configurationOf(await there(DEPLOYMENTS, namespace, GATEWAY))).toBe(configurationOf(before));
  await remove(QUOTAS, namespace, name);
  await there(
    DEPLOYMENTS,
    namespace,
    GATEWAY,
    (object) => configurationOf(object) !== configurationOf(before),
  );
});

test('labels that others have written over are repaired, and then left in peace', async () => {
  const namespace = await begun();
  const labels: [string, string][] = [
    [STORE_LABEL, 'orders'],
    ['app.kubernetes.io/managed-by', MANAGED_BY],
  ];
  for (const [label, ours] of labels) {
    for (const resource of [SERVICES, DEPLOYMENTS]) {
      const { metadata, ...rest } = await there(resource, namespace, GATEWAY);
      const theirs = { ...metadata.labels, [label]: 'theirs' };
      await change(resource, { metadata, ...rest }, { metadata: { ...metadata, labels: theirs } });
      await there(resource, namespace, GATEWAY, (object) => object.metadata.labels?.[label] === ours);
    }
  }
  await untilReady(namespace, 'orders', 'Starting');
  const version = async () => (await there(SERVICES, namespace, GATEWAY)).metadata.resourceVersion;
  const before = await version();
  await sleep(3 * TIME_TO_HARM);
  expect(await version()).toBe(before);
});

test('a port that others have given another number is repaired, and what they added stays', async () => {
  const namespace = await begun();
  const renumbered = ([first, ...others]: readonly object[], edit: object) => [
    { ...first, ...edit },
    ...others,
  ];
  const service = await there(SERVICES, namespace, GATEWAY);
  const theirs = { ...service.metadata, annotations: { ...service.metadata.annotations, team: 'payments' } };
  const spec = {
    ...(service.spec as object),
    ports: renumbered(listAt(service.spec, 'ports'), { port: 80 }),
  };
  await change(SERVICES, service, { metadata: theirs, spec });
  const portsOf = (object: KubernetesObject) => listAt(object.spec, 'ports').map(({ port }) => port);
  const repaired = await there(SERVICES, namespace, GATEWAY, (object) =>
    isDeepStrictEqual(portsOf(object), [8577]),
  );
  expect(repaired.metadata.annotations?.team).toBe('payments');

  const containersOf = (object: KubernetesObject) => listAt(object.spec, 'template', 'spec', 'containers');
  const found = await there(DEPLOYMENTS, namespace, GATEWAY);
  const [container] = containersOf(found);
  const env = [{ name: 'NO_PROXY', value: 'storage.example.com' }];
  const edited = structuredClone(found.spec) as { template: { spec: { containers: object[] } } };
  edited.template.spec.containers = [
    { ...container, env, ports: renumbered(listAt(container, 'ports'), { containerPort: 9_999 }) },
  ];
  await change(DEPLOYMENTS, found, { spec: edited });
  const numbers = (object: KubernetesObject) =>
    listAt(containersOf(object)[0], 'ports').map(({ containerPort }) => containerPort);
  const mended = await there(DEPLOYMENTS, namespace, GATEWAY, (object) =>
    isDeepStrictEqual(numbers(object), [8577, 8578]),
  );
  expect(containersOf(mended)[0]).toMatchObject({ env });
  await untilReady(namespace, 'orders', 'Starting');
});

test('an object that was replaced by an edited copy is repaired', async () => {
  const namespace = await begun();
  const { metadata, spec, ...rest } = await there(DEPLOYMENTS, namespace, GATEWAY);
  const { uid: _uid, resourceVersion: _version, ...copied } = metadata;
  const edited = { ...rest, metadata: copied, spec: { ...(spec as object), replicas: 7 } };
  // The operator makes it again, too: who is first takes chance.
  for (let isOurs = false; !isOurs; ) {
    await remove(DEPLOYMENTS, namespace, GATEWAY);
    const outcome = create(DEPLOYMENTS, edited as KubernetesObject);
    isOurs = await outcome.then(
      () => true,
      () => false,
    );
  }
  await there(DEPLOYMENTS, namespace, GATEWAY, (object) => at(object.spec, 'replicas') === 2);
});

test('a rollout that a person has paused goes on', async () => {
  const namespace = await begun();
  const found = await there(DEPLOYMENTS, namespace, GATEWAY);
  await change(DEPLOYMENTS, found, { spec: { ...(found.spec as object), paused: true } });
  await there(DEPLOYMENTS, namespace, GATEWAY, (object) => at(object.spec, 'paused') !== true);
});
