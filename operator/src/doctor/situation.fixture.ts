import { makeAuthority } from '../authority/x509.ts';
import { injectSidecar } from '../injection/inject-sidecar.ts';
import type { InjectionSettings } from '../injection/sidecar.ts';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { storeObject } from '../stores/stores.fixture.ts';
import { ABSENT, found, unreadable } from './reading.ts';
import type { Situation, StoreSituation } from './situation.ts';

export const NOW = Date.parse('2026-11-29T12:00:00Z');
type Texts = Readonly<Record<string, string>>;

const YEAR_MS = 31_536_000_000;
const LABEL = 'largepayload.dev/inject';
const SETTINGS: InjectionSettings = {
  ...{ image: 'payload-store:1.0.0', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
  ...{ runAsUser: 65_532, version: '1.0.0' },
};

export const AUTHORITY = makeAuthority('test', {
  notBefore: NOW - YEAR_MS,
  notAfter: NOW + YEAR_MS,
}).certificate;
export const EXPIRED = makeAuthority('old', { notBefore: NOW - YEAR_MS, notAfter: NOW - 1_000 }).certificate;

export const condition = (type: string, status: string, reason: string, message: string) => ({
  ...{ type, status, reason, message, lastTransitionTime: '2026-11-29T10:00:00Z' },
});

export const CONDITIONS = [
  condition('Ready', 'True', 'Ready', 'payloads are stored and served'),
  condition('GatewayAvailable', 'True', 'PodsAvailable', '2 of 2 gateways available'),
  condition('ReaperHealthy', 'True', 'Reaping', 'the last pass succeeded'),
  condition('RetentionSafe', 'True', 'StorageAgrees', "the reaper's clock agrees"),
  condition('InjectionCurrent', 'True', 'AllInjected', '2 pods with a sidecar that is up to date'),
];

/** The store `documents` of the namespace `orders`. */
export function documents(spec: object = {}, status: object = {}): KubernetesObject {
  const storage = { s3: { bucket: 'payloads', region: 'eu-central-1' } };
  return storeObject(
    { storage, retention: { ttl: '30d' }, allowedNamespaces: ['billing'], ...spec },
    { name: 'documents', namespace: 'orders' },
    {
      observedGeneration: 3,
      ...{ storageID: 'orders/documents/1', endpoint: 'https://documents-gateway.orders.svc:8577' },
      ...{ retention: { lastCompletedTime: '2026-11-29T11:30:00Z' }, conditions: CONDITIONS, ...status },
    },
  );
}

/** @param args that differ from those of a chart with the webhook */
export function operator(args: readonly string[] = ['--injection=Webhook'], available = 2): KubernetesObject {
  const container = { name: 'operator', args: ['/app/operator.mjs', '--image=payload-store:1.0.0', ...args] };
  return {
    ...object('Deployment', 'large-payload-operator', 'large-payload-system'),
    spec: { replicas: 2, template: { spec: { containers: [container] } } },
    status: { availableReplicas: available },
  };
}

export function namespace(name: string, labels: Texts = {}, annotations: Texts = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels }, annotations },
  };
}

export function pod(name: string, spec: object = {}, labels: object = {}): KubernetesObject {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: 'worker-7d9f',
    uid: '1',
    controller: true,
  };
  const { metadata } = object('Pod', name, 'billing');
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { ...metadata, labels: { 'pod-template-hash': '7d9f', ...labels }, ownerReferences: [owner] },
    spec: { containers: [{ name: 'worker', image: 'worker:1' }], ...spec },
    status: { phase: 'Running' },
  };
}

/** As the webhook makes it. */
export function injected(name: string): KubernetesObject {
  const made = structuredClone(pod(name)) as KubernetesObject & { spec: Record<string, unknown> };
  const result = injectSidecar(made, { name: 'documents', namespace: 'orders', spec: undefined }, SETTINGS);
  if (result.kind === 'skipped') throw new Error(result.message);
  const value = (path: string) => result.patch.find((step) => step.path === path)?.value;
  const annotations = value('/metadata/annotations') as Record<string, string>;
  return {
    ...made,
    metadata: { ...made.metadata, annotations },
    spec: { ...made.spec, initContainers: value('/spec/initContainers'), volumes: value('/spec/volumes') },
  };
}

export function configMap(name: string, inNamespace: string, bundle = AUTHORITY): KubernetesObject {
  return { ...object('ConfigMap', name, inNamespace), data: { 'ca.crt': bundle } };
}

export function webhook(bundle: string | undefined = AUTHORITY): KubernetesObject {
  const service = { name: 'large-payload-operator', namespace: 'large-payload-system', path: '/inject' };
  const caBundle = bundle && Buffer.from(bundle).toString('base64');
  const entry = (name: string) => ({
    name: `${name}.inject.largepayload.dev`,
    clientConfig: { service, ...(caBundle && { caBundle }) },
  });
  return {
    ...object('MutatingWebhookConfiguration', 'large-payload-operator'),
    webhooks: [entry('namespace'), entry('pod')],
  };
}

export function endpoints(ready: boolean): KubernetesObject {
  return {
    ...object('EndpointSlice', 'large-payload-operator-1', 'large-payload-system'),
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready } }],
  };
}

export const POLICY = object('MutatingAdmissionPolicy', 'documents.orders.inject.largepayload.dev');

export function binding(namespaces: readonly string[]): KubernetesObject {
  const expression = { key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces };
  const matchResources = { namespaceSelector: { matchExpressions: [expression] } };
  return {
    ...object('MutatingAdmissionPolicyBinding', `${POLICY.metadata.name}-namespace`),
    spec: { policyName: POLICY.metadata.name, matchResources },
  };
}

/** A namespace `billing` whose workers use the store `documents` of `orders`, with everything as it should be. */
export function healthy(differing: Partial<Situation> = {}): Situation {
  return {
    now: NOW,
    namespace: 'billing',
    asked: undefined,
    namespaceObject: found(namespace('billing', { [LABEL]: 'documents.orders' })),
    namespaces: ABSENT,
    pods: found({ items: [injected('worker-1'), injected('worker-2')], complete: true }),
    operator: found(operator()),
    webhooks: found([webhook()]),
    webhookEndpoints: found([endpoints(true)]),
    stores: [healthyStore()],
    ...differing,
  };
}

export function healthyStore(differing: Partial<StoreSituation> = {}): StoreSituation {
  return {
    ...{ name: 'documents', namespace: 'orders', others: ABSENT },
    resource: found(documents()),
    ownCa: found(configMap('documents-ca', 'orders')),
    workersCa: found(configMap('documents.orders-ca', 'billing')),
    policy: ABSENT,
    bindings: found([]),
    ...differing,
  };
}

/** The same with admission policies. */
export function withPolicy(store: Partial<StoreSituation> = {}): Situation {
  const own = { policy: found(POLICY), bindings: found([binding(['orders', 'billing'])]), ...store };
  return healthy({
    ...{ operator: found(operator(['--injection=Policy'])), webhooks: found([]), webhookEndpoints: ABSENT },
    stores: [healthyStore(own)],
  });
}

export const DENIED = unreadable<never>('not read: you have no right to list pods in the namespace billing');

export const withStore = (store: Partial<StoreSituation>) => healthy({ stores: [healthyStore(store)] });

export const withPods = (...items: ReturnType<typeof pod>[]) =>
  healthy({ pods: found({ items, complete: true }) });

function object(kind: string, name: string, inNamespace?: string): KubernetesObject {
  const place = inNamespace === undefined ? {} : { namespace: inNamespace };
  return { apiVersion: 'v1', kind, metadata: { name, ...place } };
}
