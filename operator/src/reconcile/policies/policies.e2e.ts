import { setTimeout as sleep } from 'node:timers/promises';
import { at } from '@largepayload/crds';
import { eventually, eventualValue } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { StoreView } from '../../cluster/store-view.ts';
import { POLICY_SETTINGS, policyBed, storeOf } from '../../injection/policy/policy-bed.fixture.ts';
import { bindingName, policyName } from '../../injection/policy/policy-names.ts';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { applyCrd, NEVER, store } from '../../kubernetes/api-server.fixture.ts';
import { connectToKubernetes } from '../../kubernetes/client-node-api.ts';
import {
  LARGE_PAYLOAD_STORES,
  MUTATING_ADMISSION_POLICIES,
  MUTATING_ADMISSION_POLICY_BINDINGS,
} from '../../kubernetes/resources.ts';
import { PolicyController } from './policy-controller.ts';
import { PolicyRemoval } from './policy-removal.ts';

const bed = policyBed();
const log = pino({ level: 'silent' });
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => applyCrd(bed.api()));
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A view of the stores as each replica has it, whether it leads or not. */
function storeView(signal: AbortSignal): { readonly stores: StoreView; readonly running: Promise<void> } {
  const { kubeconfig } = bed.controlPlane();
  const api = connectToKubernetes({ kubeconfig, version: 'test' });
  const stores = new StoreView({ api, namespaces: false, onFailure: () => {} });
  return { stores, running: stores.run(signal) };
}

/** Runs the controller as the leader does, and counts what it writes. */
function operator(settings = POLICY_SETTINGS, known?: StoreView) {
  const end = new AbortController();
  let writes = 0;
  const { kubeconfig } = bed.controlPlane();
  const api = connectToKubernetes({
    kubeconfig,
    version: 'test',
    onRequest: ({ verb }) => {
      if (verb === 'apply' || verb === 'delete') writes += 1;
    },
  });
  const own = known === undefined ? storeView(end.signal) : undefined;
  const stores = known ?? (own?.stores as StoreView);
  const controller = new PolicyController({ api, stores, settings, log });
  const running = Promise.all([own?.running, controller.run(end.signal)]);
  const stop = async () => {
    end.abort();
    await running;
  };
  stops.push(stop);
  return { stop, controller, writes: () => writes };
}

const policyOf = (namespace: string) => policyName({ name: 'orders', namespace });
const getPolicy = (namespace: string) =>
  bed.api().get({ resource: MUTATING_ADMISSION_POLICIES, namespace: '', name: policyOf(namespace) }, NEVER);
const getBinding = (namespace: string) => {
  const name = bindingName({ name: 'orders', namespace }, 'pod');
  return bed.api().get({ resource: MUTATING_ADMISSION_POLICY_BINDINGS, namespace: '', name }, NEVER);
};
const there = (namespace: string) => eventualValue(() => getPolicy(namespace));
const gone = async (namespace: string) =>
  await eventually('policy and bindings are gone', async () => {
    const found = [await getPolicy(namespace), await getBinding(namespace)];
    return found.every((object) => object === undefined);
  });

/** A store in a namespace whose pods ask for it. */
async function storeMade(): Promise<string> {
  const namespace = `shop-${crypto.randomUUID().slice(0, 8)}`;
  await bed.makeNamespace(namespace, { labels: { 'largepayload.dev/inject': 'orders' } });
  await bed.api().create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'), NEVER);
  return namespace;
}

const removeStore = (namespace: string) =>
  bed.api().delete({ resource: LARGE_PAYLOAD_STORES, namespace, name: 'orders' }, undefined, NEVER);
const makeWorker = (namespace: string) =>
  bed.makePod(namespace, { metadata: {}, spec: { containers: [{ name: 'worker', image: 'worker:1' }] } });
const injects = async (namespace: string) =>
  await eventually('the API server injects', async () => {
    return storeOf(await makeWorker(namespace)) === `orders.${namespace}`;
  });

test('all 200 of 200 pods made while the operator is away are injected', async () => {
  const { stop } = operator();
  const namespace = await storeMade();
  await injects(namespace);
  await stop();
  const pods: KubernetesObject[] = [];
  const work = async () => {
    while (pods.length < 200) {
      const index = pods.push(undefined as never) - 1;
      pods[index] = await makeWorker(namespace);
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  expect(pods.filter((pod) => storeOf(pod) === `orders.${namespace}`)).toHaveLength(200);
});

test('a policy follows its store, and goes with it', async () => {
  operator();
  const namespace = await storeMade();
  const { metadata } = await there(namespace);
  const found = await bed.api().get({ resource: LARGE_PAYLOAD_STORES, namespace, name: 'orders' }, NEVER);
  const spec = { ...(found?.spec as object), thresholdSize: '1Mi' };
  await bed.api().replace(LARGE_PAYLOAD_STORES, { ...found, spec } as KubernetesObject, NEVER);
  await eventually('the policy has changed', async () => {
    return JSON.stringify((await getPolicy(namespace))?.spec).includes('1048576');
  });
  expect((await getPolicy(namespace))?.metadata.uid).toBe(metadata.uid);
  await removeStore(namespace);
  await gone(namespace);
});

test('a replica that has known a store for long makes its policy when it becomes the leader', async () => {
  const end = new AbortController();
  const { stores, running } = storeView(end.signal);
  const namespace = await storeMade();
  await eventually('the store is known', () => stores.store(`${namespace}/orders`) !== undefined);
  operator(POLICY_SETTINGS, stores);
  await there(namespace);
  end.abort();
  await running;
});

test('a store that went while the operator was away leaves no policy once it is back', async () => {
  const first = operator();
  const namespace = await storeMade();
  await injects(namespace);
  await first.stop();
  await removeStore(namespace);
  expect(await getPolicy(namespace)).toBeDefined();
  operator();
  await gone(namespace);
});

test('an operator that starts again writes nothing where everything is right, and repairs an edit', async () => {
  const first = operator();
  const namespace = await storeMade();
  await injects(namespace);
  await first.stop();
  const second = operator();
  // What comes later than this would come after it in the queue as well.
  const other = await storeMade();
  await injects(other);
  expect(second.writes()).toBe(3);
  const found = (await getPolicy(namespace)) as KubernetesObject;
  const edited = { ...found, spec: { ...(found.spec as object), failurePolicy: 'Ignore' } };
  await bed.api().replace(MUTATING_ADMISSION_POLICIES, edited, NEVER);
  await eventually('the edit is repaired', async () => {
    return at((await getPolicy(namespace))?.spec, 'failurePolicy') === 'Fail';
  });
});

const LABELLED = '[JSONPatch{op: "add", path: "/metadata/labels", value: {"a": "b"}}]';
/** A policy that no operator has made. */
const theirs = (name: string, labels = {}): KubernetesObject => ({
  ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingAdmissionPolicy' },
  metadata: { name, labels },
  spec: {
    failurePolicy: 'Ignore',
    reinvocationPolicy: 'Never',
    matchConstraints: {
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'] },
      ],
    },
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: LABELLED } }],
  },
});

test('a policy of others with the name is left alone and reported, and ours comes once it has gone', async () => {
  const { controller } = operator();
  const namespace = `shop-${crypto.randomUUID().slice(0, 8)}`;
  const object = theirs(policyOf(namespace));
  await bed.api().create(MUTATING_ADMISSION_POLICIES, object, NEVER);
  await bed.makeNamespace(namespace, { labels: { 'largepayload.dev/inject': 'orders' } });
  const news: (string | undefined)[] = [];
  controller.onChange((key) => news.push(key));
  await bed.api().create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'), NEVER);
  const key = `${namespace}/orders`;
  await eventually('the problem is reported', () => controller.problemOf(key) !== undefined);
  expect(controller.problemOf(key)).toContain("is not the operator's");
  expect(news).toContain(key);
  expect(at((await getPolicy(namespace))?.spec, 'failurePolicy')).toBe('Ignore');
  const name = { resource: MUTATING_ADMISSION_POLICIES, namespace: '', name: policyOf(namespace) };
  await bed.api().delete(name, undefined, NEVER);
  await injects(namespace);
  expect(controller.problemOf(key)).toBeUndefined();
});

test('once the operator writes policies no longer, it removes its own and no others', async () => {
  const { stop } = operator();
  const namespace = await storeMade();
  await injects(namespace);
  await stop();
  const ours = (await getPolicy(namespace))?.metadata.labels;
  for (const object of [theirs('copied.example.com', ours), theirs('plain.example.com')])
    await bed.api().create(MUTATING_ADMISSION_POLICIES, object, NEVER);
  const end = new AbortController();
  const running = new PolicyRemoval(bed.api(), log).run(end.signal);
  await gone(namespace);
  end.abort();
  await running;
  await sleep(0);
  for (const name of ['copied.example.com', 'plain.example.com']) {
    const found = await bed.api().get({ resource: MUTATING_ADMISSION_POLICIES, namespace: '', name }, NEVER);
    expect(found?.metadata.name).toBe(name);
  }
});
