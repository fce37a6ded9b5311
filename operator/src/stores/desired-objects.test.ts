import { parseLargePayloadStore } from '@largepayload/crds';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { desiredObjects } from './desired-objects.ts';
import { OBJECT_HASH } from './labels.ts';
import {
  desiredFor,
  manifestOf,
  namesOf,
  ON_A_VOLUME,
  ON_S3,
  objectNamed,
  podsOf,
  S3_WITH_EVERYTHING,
  SETTINGS,
  store,
} from './stores.fixture.ts';

const LONGEST_NAME = 'a'.repeat(40);

test('a store on S3 has a gateway and a reaper, after the objects that these need', () => {
  const names = namesOf(desiredFor());
  const configs = names.filter((name) => name.startsWith('ConfigMap'));
  for (const config of configs) expect(config).toMatch(/^ConfigMap orders-config-[0-9a-f]{10}$/);
  expect(new Set(configs).size).toBe(2);
  expect(names).toEqual([
    'ServiceAccount orders-gateway',
    'ServiceAccount orders-reaper',
    ...configs,
    'NetworkPolicy orders-gateway',
    'NetworkPolicy orders-reaper',
    'PodDisruptionBudget orders-gateway',
    'Service orders-gateway',
    'Deployment orders-gateway',
    'Deployment orders-reaper',
  ]);
});

test('once the storage has an id, pods that start read it, and no pod is made anew for it', () => {
  const before = desiredFor();
  const status = { storageID: 'payments/orders' };
  const after = desiredObjects(store(ON_S3, {}, status), SETTINGS);
  expect(namesOf(after).filter((name) => !namesOf(before).includes(name))).toEqual([
    'ConfigMap orders-claimed',
  ]);
  expect(podsOf(after)).toEqual(podsOf(before));
  const gateway = podsOf(after)[0].spec;
  expect(gateway.volumes).toContainEqual({
    name: 'claimed',
    configMap: { name: 'orders-claimed', optional: true },
  });
});

test.each([
  ['on a volume', ON_A_VOLUME],
  ['that keeps for ever', { ...ON_S3, retention: { ttl: 'Forever' }, reaper: undefined }],
])('a store %s has no reaper of its own', (_which, spec) => {
  expect(namesOf(desiredFor(spec)).filter((name) => name.includes('reaper'))).toEqual([]);
});

test('an account that the store names is not made', () => {
  const spec = {
    ...ON_S3,
    gateway: { serviceAccountName: 'writer' },
    reaper: { serviceAccountName: 'deleter' },
  };
  const objects = desiredFor(spec);
  expect(namesOf(objects).filter((name) => name.startsWith('ServiceAccount'))).toEqual([]);
  expect(podsOf(objects).map(({ spec }) => spec.serviceAccountName)).toEqual(['writer', 'deleter']);
});

test.each([
  ['is being deleted', ON_S3, { deletionTimestamp: '2026-01-02T00:00:00Z' }],
  ['is not valid', { ...ON_S3, retention: { ttl: 'soon' } }, {}],
  ['is in Google Cloud Storage', { ...ON_S3, storage: { gcs: { bucket: 'payloads', prefix: '' } } }, {}],
  [
    'is in Azure',
    { ...ON_S3, storage: { azure: { endpoint: 'https://a.blob.core.windows.net', container: 'payloads' } } },
    {},
  ],
  [
    'asks Temporal',
    { ...ON_S3, retention: { ttl: '1d', temporal: { address: 't:7233' } }, temporalNamespaces: ['orders'] },
    {},
  ],
])('nothing is desired for a store that %s', (_what, spec, metadata) => {
  expect(desiredFor(spec, metadata)).toEqual([]);
});

test.each([
  ['S3 with everything', S3_WITH_EVERYTHING],
  ['S3', ON_S3],
  ['a volume', ON_A_VOLUME],
])('every pod of a store on %s passes Pod Security restricted and a ResourceQuota', (_where, spec) => {
  const pods = podsOf(desiredFor(spec));
  expect(pods.length).toBeGreaterThan(0);
  for (const { spec: pod } of pods) {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      fsGroup: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'initContainers'])
      expect(pod).not.toHaveProperty(field);
    expect(pod.containers).toHaveLength(1);
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      for (const list of ['requests', 'limits']) {
        expect(Object.keys(container.resources[list])).toEqual(expect.arrayContaining(['cpu', 'memory']));
      }
      for (const port of container.ports) expect(port).not.toHaveProperty('hostPort');
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
        expect(container).toHaveProperty(probe);
    }
    for (const volume of pod.volumes) {
      const kinds = Object.keys(volume).filter((field) => field !== 'name');
      expect(['configMap', 'secret', 'projected', 'persistentVolumeClaim']).toEqual(
        expect.arrayContaining(kinds),
      );
    }
  }
});

test.each([
  ['S3 with everything', S3_WITH_EVERYTHING],
  ['S3', ON_S3],
  ['a volume', ON_A_VOLUME],
])('each object of a store on %s has an owner and no empty field', (_where, spec) => {
  for (const { object, hash } of desiredFor(spec, { name: LONGEST_NAME })) {
    expect(JSON.parse(JSON.stringify(object))).toEqual(object);
    expect(JSON.stringify(object)).not.toMatch(/null/);
    expect(object.metadata.name.length).toBeLessThanOrEqual(63);
    for (const value of Object.values(object.metadata.labels ?? {}))
      expect(value.length).toBeLessThanOrEqual(63);
    expect(object.metadata).toMatchObject({
      namespace: 'payments',
      labels: {
        'app.kubernetes.io/managed-by': 'large-payload-operator',
        'largepayload.dev/store': LONGEST_NAME,
      },
      annotations: { [OBJECT_HASH]: hash },
      ownerReferences: [{ kind: 'LargePayloadStore', name: LONGEST_NAME, controller: true }],
    });
    for (const reference of object.metadata.ownerReferences ?? []) {
      expect(reference).not.toHaveProperty('blockOwnerDeletion');
    }
  }
});

test.each([
  ['S3 with everything', S3_WITH_EVERYTHING],
  ['S3', ON_S3],
  ['a volume', ON_A_VOLUME],
])('pods of a store on %s can read their manifest', (_where, spec) => {
  const manifests = podsOf(desiredFor(spec)).map((pod) => manifestOf(desiredFor(spec), pod));
  for (const text of manifests) {
    const manifest = parseLargePayloadStore(text, 'store.yaml');
    expect(manifest.metadata).toEqual({ name: 'orders', namespace: 'payments' });
    expect(manifest.spec.storage).toEqual(store(spec).spec?.storage);
    expect(manifest.spec.retention).toEqual(store(spec).spec?.retention);
  }
});

test('the manifest has every field that a pod of its component reads, and no other', () => {
  const objects = desiredFor(S3_WITH_EVERYTHING);
  const [gateway = '', reaper = ''] = podsOf(objects).map((pod) => manifestOf(objects, pod));
  const { storage, retention, temporalNamespaces, maxPayloadSize } = S3_WITH_EVERYTHING;
  for (const text of [gateway, reaper]) {
    const { spec } = parseLargePayloadStore(text, 'store.yaml');
    expect(spec).toMatchObject({ storage, retention, temporalNamespaces, maxPayloadSize });
    expect(spec).toMatchObject({ thresholdSize: 128_000 });
    expect(text).not.toMatch(/reaper:|sidecar|thresholdSize|replicas|resources|credentials|dnsNames/);
  }
  const { allowedNamespaces, callers } = S3_WITH_EVERYTHING;
  const { authentication, oidc, cacheSize } = S3_WITH_EVERYTHING.gateway;
  expect(parse(gateway).spec).toMatchObject({ allowedNamespaces, callers });
  expect(parse(gateway).spec.gateway).toEqual({ authentication, oidc, cacheSize });
  expect(reaper).not.toMatch(/gateway|allowed|callers/);
});

test.each([
  ['thresholdSize', { thresholdSize: 1_000 }],
  ['gateway.replicas', { gateway: { ...ON_S3.gateway, replicas: 7 } }],
  ['gateway.dnsNames', { gateway: { ...ON_S3.gateway, dnsNames: ['payloads.example.com'] } }],
  ['sidecar', { sidecar: { resources: { limits: { memory: '64Mi' } } } }],
])('an edit of %s restarts no pod', (_field, edit) => {
  expect(podsOf(desiredFor({ ...ON_S3, ...edit }))).toEqual(podsOf(desiredFor()));
});

test.each([
  ['maxPayloadSize', { maxPayloadSize: '2Gi' }],
  ['retention', { retention: { ttl: '31d' } }],
  ['the bucket’s region', { storage: { s3: { bucket: 'payloads', region: 'eu-west-1' } } }],
])('an edit of %s gives pods another configuration', (_field, edit) => {
  const [gateway, reaper] = podsOf(desiredFor({ ...ON_S3, ...edit }));
  const [gatewayBefore, reaperBefore] = podsOf(desiredFor());
  expect(gateway.metadata.annotations).not.toEqual(gatewayBefore.metadata.annotations);
  expect(reaper.metadata.annotations).not.toEqual(reaperBefore.metadata.annotations);
});

test('the hash of the configuration depends on the content, and not on the order of fields', () => {
  const hashes = desiredFor().map(({ hash }) => hash);
  const { gateway, reaper, retention, storage } = ON_S3;
  expect(desiredFor({ reaper, retention, storage, gateway }).map(({ hash }) => hash)).toEqual(hashes);
  const other = desiredObjects(store(), { ...SETTINGS, image: 'another' }).map(({ hash }) => hash);
  expect(other.filter((hash) => !hashes.includes(hash))).toHaveLength(2);
});

test.each([
  ['allowedNamespaces', { allowedNamespaces: ['workers'] }],
  ['callers', { callers: [{ namespaces: ['payments'] }] }],
  ['gateway.authentication', { gateway: { ...ON_S3.gateway, authentication: 'Migrate' } }],
  ['gateway.cacheSize', { gateway: { ...ON_S3.gateway, cacheSize: '64Mi' } }],
])('an edit of %s restarts the gateways and not the reaper', (_field, edit) => {
  const [gateway, reaper] = podsOf(desiredFor({ ...ON_S3, ...edit }));
  const [gatewayBefore, reaperBefore] = podsOf(desiredFor());
  expect(gateway).not.toEqual(gatewayBefore);
  expect(reaper).toEqual(reaperBefore);
});

test('a claim is mounted by one pod at a time, which needs no credentials', () => {
  const spec = { ...ON_A_VOLUME, gateway: { credentialsSecretRef: { name: 'unused' } } };
  const deployment = objectNamed(desiredFor(spec), 'Deployment orders-gateway');
  expect(deployment.spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
  const [container] = deployment.spec.template.spec.containers;
  expect(container.args).toEqual(expect.arrayContaining(['--data-dir', '/var/lib/payload-store']));
  expect(container.args).not.toContain('--credentials-dir');
});

test.each([
  ['30d', 945],
  ['Forever', 945],
  ['8s', 47],
  ['20m', 345],
])('with a TTL of %s a gateway has %d s to end', (ttl, seconds) => {
  const spec = { ...ON_S3, retention: { ttl }, reaper: undefined };
  const { template } = objectNamed(desiredFor(spec), 'Deployment orders-gateway').spec;
  expect(template.spec.terminationGracePeriodSeconds).toBe(seconds);
});

test('pods name the pull secrets of the settings', () => {
  const objects = desiredObjects(store(), { ...SETTINGS, imagePullSecrets: ['registry'] });
  for (const pod of podsOf(objects)) expect(pod.spec.imagePullSecrets).toEqual([{ name: 'registry' }]);
  for (const pod of podsOf(desiredFor())) expect(pod.spec).not.toHaveProperty('imagePullSecrets');
});

test("policies admit the store's namespaces to payloads and everybody to metrics", () => {
  const objects = desiredFor({ ...ON_S3, allowedNamespaces: ['workers', 'payments'] });
  const [data, metrics] = objectNamed(objects, 'NetworkPolicy orders-gateway').spec.ingress;
  expect(data.from[0].namespaceSelector.matchExpressions[0].values).toEqual(['payments', 'workers']);
  expect(data.ports).toEqual([{ port: 8577, protocol: 'TCP' }]);
  expect(metrics).toEqual({ ports: [{ port: 8578, protocol: 'TCP' }] });
  expect(objectNamed(objects, 'NetworkPolicy orders-reaper').spec.ingress).toEqual([metrics]);
});

test('with namespaces that may scrape, policies admit those and the operator to metrics', () => {
  const objects = desiredObjects(store(), { ...SETTINGS, scrapeNamespaces: ['monitoring', 'observers'] });
  const values = ['large-payload-system', 'monitoring', 'observers'];
  const matchExpressions = [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }];
  const metrics = {
    from: [{ namespaceSelector: { matchExpressions } }],
    ports: [{ port: 8578, protocol: 'TCP' }],
  };
  expect(objectNamed(objects, 'NetworkPolicy orders-gateway').spec.ingress[1]).toEqual(metrics);
  expect(objectNamed(objects, 'NetworkPolicy orders-reaper').spec.ingress).toEqual([metrics]);
});
