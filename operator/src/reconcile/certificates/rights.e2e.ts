import { readFile, writeFile } from 'node:fs/promises';
import { at } from '@largepayload/crds';
import { type Manifest, renderChart } from '@largepayload/testing/cluster/rendered-chart';
import { helm as helmProgram } from '@largepayload/testing/programs/helm';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import { beforeAll, expect, test } from 'vitest';
import { AUTHORITY_SECRET } from '../../authority/authority-secret.ts';
import { WEBHOOK_SECRET } from '../../authority/certificate-names.ts';
import { makeAuthority } from '../../authority/x509.ts';
import { SETTINGS } from '../../injection/pods.fixture.ts';
import { policyObjects } from '../../injection/policy/policy-objects.ts';
import type { ApiError, KubernetesApi, KubernetesObject, ResourceKind } from '../../kubernetes/api.ts';
import { apiBed, applyCrd, NEVER, store } from '../../kubernetes/api-server.fixture.ts';
import { connectToKubernetes } from '../../kubernetes/client-node-api.ts';
import {
  CERTIFICATES,
  kindOf,
  LARGE_PAYLOAD_STORES,
  MUTATING_WEBHOOK_CONFIGURATIONS,
  NAMESPACES,
  SECRETS,
} from '../../kubernetes/resources.ts';
import { TLS_SECRET } from '../../stores/names.ts';
import type { StoreSpec } from '../../stores/read-store.ts';
import { PolicyRemoval } from '../policies/policy-removal.ts';
import { WebhookBundle } from '../webhook/webhook-bundle.ts';
import { CertManagerCertificates } from './cert-manager-certificates.ts';
import { OPERATORS, ownSource, runCertificates } from './certificates.fixture.ts';

const rbac = (kind: string, plural: string): ResourceKind => ({
  ...{ group: 'rbac.authorization.k8s.io', version: 'v1', kind, plural },
});
const RBAC = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];
const CRDS: ResourceKind = {
  ...{ group: 'apiextensions.k8s.io', version: 'v1' },
  ...{ kind: 'CustomResourceDefinition', plural: 'customresourcedefinitions' },
};
/** Takes any Certificate. cert-manager itself is not here. */
const CERTIFICATE_CRD: KubernetesObject = {
  ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: CRDS.kind },
  metadata: { name: 'certificates.cert-manager.io' },
  spec: {
    ...{ group: 'cert-manager.io', scope: 'Namespaced' },
    names: { kind: 'Certificate', plural: 'certificates' },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true, subresources: { status: {} } },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const bed = apiBed();
const caBundle = makeAuthority('internal', { notBefore: 0, notAfter: 1_000 }).certificate;
let operator: KubernetesApi;
let withCertManager: KubernetesApi;

/** The API as the account of the operator of a release, with the rights that the chart gives it. */
async function installed(release: string, values = {}): Promise<KubernetesApi> {
  const program = await helmProgram((line) => console.info(line));
  const manifests = await renderChart(program, values, { release });
  for (const manifest of manifests.filter(({ kind }) => RBAC.includes(kind)))
    await bed.api().create(rbac(manifest.kind, `${manifest.kind.toLowerCase()}s`), manifest, NEVER);
  const { metadata } = manifests.find(({ kind }) => kind === 'ServiceAccount') as Manifest;
  const { kubeconfig } = bed.controlPlane();
  const config = JSON.parse(await readFile(kubeconfig, 'utf8'));
  config.users[0].user.as = `system:serviceaccount:${OPERATORS}:${metadata.name}`;
  await writeFile(`${kubeconfig}.${release}`, JSON.stringify(config), { mode: 0o600 });
  return connectToKubernetes({ kubeconfig: `${kubeconfig}.${release}`, version: 'test' });
}

beforeAll(async () => {
  const api = bed.api();
  await applyCrd(api);
  await api.create(CRDS, CERTIFICATE_CRD, NEVER);
  await api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: OPERATORS } }, NEVER);
  operator = await installed('payloads');
  const rbacValues = { aggregateToDefaultRoles: false };
  const certificates = { issuerRef: { name: 'internal' }, caBundle };
  withCertManager = await installed('managed', { rbac: rbacValues, certificates });
  await eventualValue(async () => {
    const listed = api.list({ resource: CERTIFICATES }, { limit: 1 }, NEVER);
    return await listed.then(
      () => true,
      () => undefined,
    );
  });
});

const forbidden = async (call: Promise<unknown>) => {
  const failure = await call.then(
    () => 'it was allowed',
    (error: ApiError) => error,
  );
  expect(failure).toMatchObject({ status: 403 });
};
const secretIn = (namespace: string, name: string) => ({ resource: SECRETS, namespace, name });
const secretOf = (namespace: string, name: string): KubernetesObject => ({
  ...{ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, data: { password: 'c2VjcmV0' } },
});

test('the account of the operator makes authority and certificates, and removes a certificate', async () => {
  const namespace = await bed.newNamespace();
  await bed.api().create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'), NEVER);
  const { source } = ownSource(operator, Date.now);
  const { stop, certificates } = runCertificates(operator, source);
  try {
    const found = async () => await bed.api().get(secretIn(namespace, TLS_SECRET), NEVER);
    await eventualValue(found);
    expect(certificates.stateOf(namespace)).toMatchObject({ problem: undefined });
    const orders = { resource: LARGE_PAYLOAD_STORES, namespace, name: 'orders' };
    await bed.api().delete(orders, undefined, NEVER);
    await eventualValue(async () => ((await found()) ? undefined : true));
  } finally {
    await stop();
  }
});

test('the account of the operator can read, list, watch, change and delete no other Secret', async () => {
  const namespace = await bed.newNamespace();
  for (const name of ['orders-gateway', AUTHORITY_SECRET]) {
    await bed.api().create(SECRETS, secretOf(namespace, name), NEVER);
    await forbidden(operator.get(secretIn(namespace, name), NEVER));
    await forbidden(operator.patch(SECRETS, secretOf(namespace, name), NEVER));
    await forbidden(operator.replace(SECRETS, secretOf(namespace, name), NEVER));
    await forbidden(operator.delete(secretIn(namespace, name), undefined, NEVER));
  }
  for (const selected of [{}, { namespace }, { namespace, fieldSelector: `metadata.name=${TLS_SECRET}` }]) {
    await forbidden(operator.list({ resource: SECRETS, ...selected }, { limit: 1 }, NEVER));
    const watch = operator.watch(
      { resource: SECRETS, ...selected },
      { resourceVersion: '0', timeoutSeconds: 1 },
      NEVER,
    );
    await forbidden(watch[Symbol.asyncIterator]().next());
  }
  await bed.api().create(SECRETS, secretOf(OPERATORS, 'pull'), NEVER);
  await forbidden(operator.get(secretIn(OPERATORS, 'pull'), NEVER));
  await forbidden(operator.delete(secretIn(OPERATORS, AUTHORITY_SECRET), undefined, NEVER));
});

test('the account of the operator writes caBundle of its own webhook, and changes no webhook of others', async () => {
  const resource = MUTATING_WEBHOOK_CONFIGURATIONS;
  const named = (name: string): KubernetesObject => ({
    ...kindOf(resource),
    metadata: { name },
    webhooks: [],
  });
  const [own, foreign] = ['payloads-large-payload-operator', 'others'];
  for (const name of [own, foreign]) await bed.api().create(resource, named(name), NEVER);
  const bundle = new WebhookBundle({ api: operator, name: own, onFailure: () => {} });
  await bundle.publish(caBundle, NEVER);
  const end = new AbortController();
  const { promise: seen, resolve } = Promise.withResolvers<void>();
  bundle.onChange(resolve);
  const running = bundle.run(end.signal);
  await seen;
  end.abort();
  await running;
  await forbidden(operator.get({ resource, namespace: '', name: foreign }, NEVER));
  await forbidden(operator.patch(resource, named(foreign), NEVER));
  await forbidden(operator.list({ resource }, { limit: 1 }, NEVER));
  await forbidden(operator.create(resource, named('new'), NEVER));
  await forbidden(operator.delete({ resource, namespace: '', name: own }, undefined, NEVER));
});

test('the account of the operator writes, watches and removes policies in Policy mode, and only removes them otherwise', async () => {
  const byPolicy = await installed('injecting', {
    injection: { mode: 'Policy' },
    rbac: { aggregateToDefaultRoles: false },
  });
  const settings = { ...SETTINGS, failurePolicy: 'Fail' as const, operatorNamespace: OPERATORS };
  const spec = { thresholdSize: 128_000 } as StoreSpec;
  const objects = policyObjects({ name: 'orders', namespace: 'shop', spec }, settings);
  for (const { resource, object } of objects) {
    await forbidden(operator.apply(resource, object, { force: true }, NEVER));
    // The API server may learn of the new rights a moment later.
    await eventualValue(async () => {
      const applied = byPolicy.apply(resource, object, { force: true }, NEVER);
      return await applied.catch((error: ApiError) =>
        error.status === 403 ? undefined : Promise.reject(error),
      );
    });
    const { resourceVersion } = await byPolicy.list({ resource }, { limit: 1 }, NEVER);
    const watch = byPolicy.watch({ resource }, { resourceVersion, timeoutSeconds: 1 }, NEVER);
    await watch[Symbol.asyncIterator]().next();
  }
  const end = new AbortController();
  const removal = new PolicyRemoval(operator, pino({ level: 'silent' })).run(end.signal);
  for (const { resource, name } of objects) {
    const found = () => bed.api().get({ resource, namespace: '', name }, NEVER);
    await eventualValue(async () => ((await found()) === undefined ? true : undefined));
  }
  end.abort();
  await removal;
});

test('with cert-manager the account of the operator may read the Secret of the webhook, and not change it', async () => {
  await bed.api().create(SECRETS, secretOf(OPERATORS, WEBHOOK_SECRET), NEVER);
  expect(await withCertManager.get(secretIn(OPERATORS, WEBHOOK_SECRET), NEVER)).toBeDefined();
  await forbidden(withCertManager.patch(SECRETS, secretOf(OPERATORS, WEBHOOK_SECRET), NEVER));
  const elsewhere = await bed.newNamespace();
  for (const account of [operator, withCertManager])
    await forbidden(account.get(secretIn(elsewhere, WEBHOOK_SECRET), NEVER));
});

test('a lack of rights to the authority is a problem of every store', async () => {
  const namespace = await bed.newNamespace();
  await bed.api().create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'), NEVER);
  // The rights of the other installation, as after an upgrade of the image alone.
  const { stop, certificates } = runCertificates(
    withCertManager,
    ownSource(withCertManager, Date.now).source,
  );
  try {
    const problem = await eventualValue(async () => certificates.stateOf(namespace).problem);
    expect(problem).toMatch(/secrets "largepayload-ca" is forbidden/);
  } finally {
    await stop();
  }
});

test('with cert-manager a Certificate is asked for by an account that has no right to Secrets', async () => {
  const namespace = await bed.newNamespace();
  const issuer = { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'internal' };
  const source = new CertManagerCertificates({ api: withCertManager, issuer, bundle: caBundle });
  const names = [`*.${namespace}.svc`, 'payloads.example.com'];
  const request = { namespace, names, leftOut: 0, keepsNames: false };
  expect(await source.settle(request, NEVER)).toEqual({});
  const name = { resource: CERTIFICATES, namespace, name: TLS_SECRET };
  const found = (await bed.api().get(name, NEVER)) as KubernetesObject;
  expect(found.spec).toEqual({
    ...{ secretName: TLS_SECRET, dnsNames: names, issuerRef: issuer },
    ...{ duration: '4320h0m0s', renewBefore: '2160h0m0s', usages: ['digital signature', 'server auth'] },
    privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
  });
  await source.settle(request, NEVER);
  expect((await bed.api().get(name, NEVER))?.metadata.resourceVersion).toBe(found.metadata.resourceVersion);
  const condition = { type: 'Ready', status: 'False', message: 'ClusterIssuer "internal" not found' };
  const { apiVersion, kind } = found;
  const status = { conditions: [condition] };
  await bed
    .api()
    .applyStatus(
      CERTIFICATES,
      { apiVersion, kind, metadata: { namespace, name: TLS_SECRET }, status },
      NEVER,
    );
  expect(await source.settle(request, NEVER)).toMatchObject({
    problem: 'cert-manager: ClusterIssuer "internal" not found',
  });
  await source.settle({ ...request, names: names.slice(0, 1), keepsNames: true }, NEVER);
  expect(at((await bed.api().get(name, NEVER))?.spec, 'dnsNames')).toEqual(names);
  // Of names that a person has added, those stay for which a store may ask.
  const asked = (await bed.api().get(name, NEVER)) as KubernetesObject;
  const edited = { ...(asked.spec as object), dnsNames: [...names, '*.payments.svc'] };
  await bed.api().replace(CERTIFICATES, { ...asked, spec: edited }, NEVER);
  const more = ['returns.example.com', ...names];
  await source.settle({ ...request, names: more.slice(0, 2), keepsNames: true }, NEVER);
  expect(at((await bed.api().get(name, NEVER))?.spec, 'dnsNames')).toEqual(more);
  await source.remove(namespace, NEVER);
  expect(await bed.api().get(name, NEVER)).toBeUndefined();
  await forbidden(withCertManager.get(secretIn(namespace, TLS_SECRET), NEVER));
  await forbidden(withCertManager.create(SECRETS, secretOf(namespace, TLS_SECRET), NEVER));
});

test('a Certificate of others is neither changed nor deleted', async () => {
  const namespace = await bed.newNamespace();
  const theirs = {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { namespace, name: TLS_SECRET },
  };
  await bed.api().create(CERTIFICATES, { ...theirs, spec: { secretName: 'theirs' } }, NEVER);
  const issuer = { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'internal' };
  const source = new CertManagerCertificates({ api: withCertManager, issuer, bundle: caBundle });
  const settled = await source.settle(
    { namespace, names: ['a.example.com'], leftOut: 0, keepsNames: false },
    NEVER,
  );
  expect(settled.problem).toContain('was not made by the operator');
  await source.remove(namespace, NEVER);
  const found = await bed.api().get({ resource: CERTIFICATES, namespace, name: TLS_SECRET }, NEVER);
  expect(found?.spec).toEqual({ secretName: 'theirs' });
});
