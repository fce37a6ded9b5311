import { at, listAt, textAt } from '@largepayload/crds';
import { policyName } from '../injection/policy/policy-names.ts';
import { type StoreName, selectStore } from '../injection/selection.ts';
import type { KubernetesObject, ResourceKind } from '../kubernetes/api.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  LARGE_PAYLOAD_STORES,
  MUTATING_ADMISSION_POLICIES,
  MUTATING_ADMISSION_POLICY_BINDINGS,
  MUTATING_WEBHOOK_CONFIGURATIONS,
  NAMESPACES,
  PODS,
} from '../kubernetes/resources.ts';
import { STORE_LABEL, STORE_NAMESPACE_LABEL } from '../stores/labels.ts';
import { caMapName } from '../stores/names.ts';
import { caMapOf } from './checks/certificates.ts';
import { storeOfPod } from './pod-store.ts';
import type { Reader } from './reader.ts';
import { ABSENT, found, type Objects, type Reading, valueIn } from './reading.ts';
import { type Situation, type StoreSituation, storeText } from './situation.ts';

/** What a person asks for. */
export interface Question {
  /** of the workers */
  readonly namespace: string;
  /** `undefined`: the stores that the labels name */
  readonly store: StoreName | undefined;
  /** `undefined`: it is looked for in all namespaces */
  readonly operatorNamespace: string | undefined;
}

/** The operator may not read them, so they are not among its kinds. */
const ENDPOINT_SLICES: ResourceKind = {
  ...{ group: 'discovery.k8s.io', version: 'v1', kind: 'EndpointSlice', plural: 'endpointslices' },
};
const OPERATOR = 'app.kubernetes.io/component=operator,app.kubernetes.io/part-of=large-payload';
const WEBHOOK = /(^|[.])inject[.]largepayload[.]dev$/;
const MOST_PODS = 2_000;
const MOST_STORES = 10;

/** Reads what the checks need. Nothing is written. */
export async function readSituation(
  reader: Reader,
  { namespace, store, operatorNamespace }: Question,
  now: () => number,
): Promise<Situation> {
  const operators = { resource: DEPLOYMENTS, labelSelector: OPERATOR };
  const place = operatorNamespace === undefined ? {} : { namespace: operatorNamespace };
  const [namespaceObject, pods, deployments, configurations] = await Promise.all([
    reader.get(NAMESPACES, '', namespace),
    reader.list({ resource: PODS, namespace }, MOST_PODS),
    reader.list({ ...operators, ...place }),
    reader.list({ resource: MUTATING_WEBHOOK_CONFIGURATIONS }),
  ]);
  const webhooks = map(configurations, ({ items }) => found(items.filter(injects)));
  const names = store === undefined ? storesOf(namespaceObject, pods, namespace) : [store];
  const [namespaces, webhookEndpoints, stores] = await Promise.all([
    namespaceObject.kind === 'absent'
      ? namesOf(reader.list({ resource: NAMESPACES, metadataOnly: true }))
      : ABSENT,
    readEndpoints(reader, webhooks),
    Promise.all(names.slice(0, MOST_STORES).map((each) => readStoreSituation(reader, each, namespace))),
  ]);
  return {
    ...{
      now: now(),
      namespace,
      asked: store,
      namespaceObject,
      namespaces,
      pods,
      webhooks,
      webhookEndpoints,
      stores,
    },
    operator: map(deployments, ({ items: [first] }) => (first === undefined ? ABSENT : found(first))),
  };
}

/** The stores that the namespace and its pods ask for, each once. */
function storesOf(
  namespaceObject: Reading<KubernetesObject>,
  pods: Reading<Objects>,
  namespace: string,
): readonly StoreName[] {
  const labelled = valueIn(namespaceObject)?.metadata ?? {};
  const own = selectStore(labelled, { namespace });
  const ofPods = (valueIn(pods)?.items ?? []).flatMap((pod) => storeOfPod(labelled, pod) ?? []);
  const all = [...(own.kind === 'store' ? [{ name: own.name, namespace: own.namespace }] : []), ...ofPods];
  return [...new Map(all.map((each) => [storeText(each), each])).values()];
}

async function readStoreSituation(
  reader: Reader,
  store: StoreName,
  workersNamespace: string,
): Promise<StoreSituation> {
  const { name, namespace } = store;
  const labels = `${STORE_LABEL}=${name},${STORE_NAMESPACE_LABEL}=${namespace}`;
  const [resource, ownCa, workersCa, policy, bindings] = await Promise.all([
    reader.get(LARGE_PAYLOAD_STORES, namespace, name),
    reader.get(CONFIG_MAPS, namespace, caMapName(name)),
    reader.get(CONFIG_MAPS, workersNamespace, caMapOf(store, workersNamespace)),
    reader.get(MUTATING_ADMISSION_POLICIES, '', policyName(store)),
    reader.list({ resource: MUTATING_ADMISSION_POLICY_BINDINGS, labelSelector: labels }),
  ]);
  const others =
    resource.kind === 'absent'
      ? await namesOf(reader.list({ resource: LARGE_PAYLOAD_STORES, namespace, metadataOnly: true }))
      : ABSENT;
  return {
    ...{ name, namespace, resource, others, ownCa, workersCa, policy },
    bindings: map(bindings, ({ items }) => found(items)),
  };
}

async function readEndpoints(
  reader: Reader,
  webhooks: Situation['webhooks'],
): Promise<Situation['webhookEndpoints']> {
  const service = at(listAt(valueIn(webhooks)?.[0], 'webhooks')[0], 'clientConfig', 'service');
  const [namespace, name] = [textAt(service, 'namespace'), textAt(service, 'name')];
  if (namespace === undefined || name === undefined) return ABSENT;
  const labelSelector = `kubernetes.io/service-name=${name}`;
  const slices = await reader.list({ resource: ENDPOINT_SLICES, namespace, labelSelector });
  return map(slices, ({ items }) => found(items));
}

function injects(configuration: KubernetesObject): boolean {
  return listAt(configuration, 'webhooks').some((each) => WEBHOOK.test(textAt(each, 'name') ?? ''));
}

async function namesOf(list: Promise<Reading<Objects>>): Promise<Reading<readonly string[]>> {
  return map(await list, ({ items }) => found(items.map(({ metadata }) => metadata.name)));
}

function map<T, U>(reading: Reading<T>, change: (value: T) => Reading<U>): Reading<U> {
  return reading.kind === 'found' ? change(reading.value) : reading;
}
