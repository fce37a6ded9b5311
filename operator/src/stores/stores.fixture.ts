import { textAt } from '@largepayload/crds';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { type DesiredObject, desiredObjects } from './desired-objects.ts';
import { readStore, type StoreResource } from './read-store.ts';

type Fields = Record<string, unknown>;

export const SETTINGS = {
  image: 'registry.example/payload-store:0.1.0',
  imagePullPolicy: 'IfNotPresent',
  namespace: 'large-payload-system',
  scrapeNamespaces: [],
} as const;

/** Stands for the certificates that clients trust. */
export const BUNDLE = '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUY2E=\n-----END CERTIFICATE-----\n';

/** A LargePayloadStore as the API server returns it: with the defaults of the CRD, and metadata that the operator does not need. */
export function storeObject(spec: Fields, metadata: Fields = {}, status?: unknown): KubernetesObject {
  return {
    apiVersion: 'largepayload.dev/v1alpha1',
    kind: 'LargePayloadStore',
    metadata: {
      name: 'orders',
      namespace: 'payments',
      uid: '2f1d7c3e-8a51-4a55-9f0e-5b6c1d2e3f40',
      resourceVersion: '4711',
      generation: 3,
      creationTimestamp: '2026-01-01T00:00:00Z',
      managedFields: [{ manager: 'kubectl' }],
      ...metadata,
    },
    spec: { thresholdSize: 128_000, maxPayloadSize: '1Gi', gateway: {}, ...spec },
    ...(status !== undefined && { status }),
  } as unknown as KubernetesObject;
}

export const ON_S3 = {
  storage: { s3: { bucket: 'payloads', prefix: '', forcePathStyle: false } },
  retention: { ttl: '30d', reaperInterval: '1h' },
  gateway: { credentialsSecretRef: { name: 'orders-s3' } },
  reaper: { credentialsSecretRef: { name: 'orders-s3-reaper' } },
};

export const ON_A_VOLUME = {
  storage: { filesystem: { claimName: 'payloads' } },
  retention: { ttl: '30d', reaperInterval: '1h' },
};

/** Every field that this version builds. */
export const S3_WITH_EVERYTHING = {
  storage: {
    s3: {
      bucket: 'payloads',
      prefix: 'orders/',
      region: 'eu-central-1',
      endpoint: 'https://minio.storage.svc:9000',
      forcePathStyle: true,
      caBundle:
        '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUZm9yIHRoZSBleGFtcGxl\n-----END CERTIFICATE-----\n',
      storageClass: 'STANDARD_IA',
      serverSideEncryption: { type: 'aws:kms', kmsKeyID: 'alias/payloads' },
    },
  },
  retention: { ttl: '30d', reaperInterval: '30m' },
  temporalNamespaces: ['orders', 'invoices'],
  allowedNamespaces: ['workers', 'starters'],
  callers: [
    { namespaces: ['payments'], access: 'ReadWrite' },
    { serviceAccounts: ['workers/invoices'], temporalNamespaces: ['invoices'], access: 'ReadWrite' },
    {
      oidc: { issuer: 'https://token.ci.example', claims: { repository: 'acme/orders' } },
      access: 'Read',
    },
  ],
  thresholdSize: '64Ki',
  maxPayloadSize: '2Gi',
  gateway: {
    replicas: 3,
    authentication: 'Token',
    oidc: [
      {
        issuer: 'https://token.ci.example',
        audience: 'payloads',
        requiredClaims: { repository_owner: 'acme' },
      },
    ],
    dnsNames: ['payloads.example.com'],
    cacheSize: '64Mi',
    serviceAccountName: 'payload-writer',
    credentialsSecretRef: { name: 'payload-writer' },
    resources: { requests: { cpu: '250m' }, limits: { memory: '1Gi' } },
  },
  reaper: { credentialsSecretRef: { name: 'payload-reaper' } },
  sidecar: { resources: { limits: { memory: '128Mi' } } },
};

export function store(spec: Fields = ON_S3, metadata: Fields = {}, status?: unknown): StoreResource {
  return readStore(storeObject(spec, metadata, status));
}

export function desiredFor(spec: Fields = ON_S3, metadata: Fields = {}): readonly DesiredObject[] {
  return desiredObjects(store(spec, metadata), SETTINGS);
}

/** `['ServiceAccount orders-gateway', …]` */
export function namesOf(objects: readonly DesiredObject[]): string[] {
  return objects.map(({ object }) => `${object.kind} ${object.metadata.name}`);
}

// biome-ignore lint/suspicious/noExplicitAny: a test may look at any field of an object
export function objectNamed(objects: readonly DesiredObject[], name: string): any {
  const found = objects.find(({ object }) => `${object.kind} ${object.metadata.name}` === name);
  if (found === undefined) throw new Error(`no ${name} among ${namesOf(objects).join(', ')}`);
  return found.object;
}

/** The pod templates, the gateway's first. */
export function podsOf(objects: readonly DesiredObject[]) {
  return (
    objects
      .filter(({ object }) => object.kind === 'Deployment')
      // biome-ignore lint/suspicious/noExplicitAny: a test may look at any field of a pod
      .map(({ object }): any => (object.spec as any).template)
  );
}

/** The manifest that a pod reads. */
export function manifestOf(
  objects: readonly DesiredObject[],
  pod: ReturnType<typeof podsOf>[number],
): string {
  const [{ configMap }] = pod.spec.volumes;
  return textAt(objectNamed(objects, `ConfigMap ${configMap.name}`), 'data', 'store.yaml') ?? '';
}
