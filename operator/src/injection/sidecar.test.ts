import { expect, test } from 'vitest';
import { PODS, SETTINGS, STORE } from './pods.fixture.ts';
import { sidecarFor } from './sidecar.ts';
import { warningsOf } from './warnings.ts';

const DEFAULTS = sidecarFor(STORE, SETTINGS);

test('a store that does not exist yet gets the sidecar of a store with defaults', () => {
  expect(sidecarFor({ ...STORE, spec: { thresholdSize: 128_000 } }, SETTINGS)).toEqual(DEFAULTS);
});

test('the sidecar passes Pod Security restricted, and calls the gateway by its token and authorities', () => {
  expect(DEFAULTS.container).toEqual({
    name: 'large-payload-sidecar',
    image: 'registry.example.com/payload-store:1.2.3',
    imagePullPolicy: 'IfNotPresent',
    restartPolicy: 'Always',
    args: ['/app/payload-store.mjs', 'sidecar', '--metrics-listen', ':8578', '--allow-remote'],
    env: [
      { name: 'LARGE_PAYLOAD_GATEWAY_URL', value: 'https://documents-gateway.orders.svc:8577' },
      { name: 'LARGE_PAYLOAD_SERVICE_TOKEN_FILE', value: '/var/run/secrets/largepayload.dev/token' },
      { name: 'LARGE_PAYLOAD_SERVICE_CA_FILE', value: '/var/run/secrets/largepayload.dev/ca.crt' },
    ],
    ports: [{ name: 'payload-metrics', containerPort: 8578, protocol: 'TCP' }],
    startupProbe: {
      httpGet: { path: '/healthz', port: 'payload-metrics' },
      periodSeconds: 1,
      timeoutSeconds: 2,
      failureThreshold: 60,
    },
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: 'large-payload-sidecar', mountPath: '/var/run/secrets/largepayload.dev', readOnly: true },
    ],
  });
});

test.each([
  ['the namespace of the store', DEFAULTS.volume, 'documents-ca'],
  ['another namespace', DEFAULTS.volumeElsewhere, 'documents.orders-ca'],
])(
  'in %s, the volume has a token for the store and its authorities, which may be missing',
  (_where, volume, name) => {
    const items = [{ key: 'ca.crt', path: 'ca.crt' }];
    expect(volume).toEqual({
      name: 'large-payload-sidecar',
      projected: {
        sources: [
          {
            serviceAccountToken: {
              audience: 'largepayload.dev/orders/documents',
              expirationSeconds: 600,
              path: 'token',
            },
          },
          { configMap: { name, items, optional: true } },
        ],
      },
    });
  },
);

test('without a user, the platform chooses user and group', () => {
  const { container } = sidecarFor(STORE, { ...SETTINGS, runAsUser: undefined });
  expect(container.securityContext).not.toHaveProperty('runAsUser');
  expect(container.securityContext).not.toHaveProperty('runAsGroup');
  expect(container.securityContext).toMatchObject({ runAsNonRoot: true });
});

test('threshold and resources are those of the store', () => {
  const { environment, container } = sidecarFor(
    {
      ...STORE,
      spec: {
        thresholdSize: '256Ki',
        sidecar: { resources: { requests: { cpu: 1 }, limits: { memory: '48Mi', cpu: '500m' } } },
      },
    },
    SETTINGS,
  );
  expect(environment).toEqual([
    { name: 'LARGE_PAYLOAD_SERVICE_URL', value: 'http://127.0.0.1:8577' },
    { name: 'LARGE_PAYLOAD_THRESHOLD_BYTES', value: '262144' },
  ]);
  expect(container.resources).toEqual({
    requests: { cpu: '1', memory: '48Mi' },
    limits: { memory: '48Mi', cpu: '500m' },
  });
});

test('the hash changes with everything that is injected, and with nothing else', () => {
  const hashOf = (store: Parameters<typeof sidecarFor>[0], settings: Partial<typeof SETTINGS> = {}) =>
    sidecarFor(store, { ...SETTINGS, ...settings }).annotation.hash;
  const changed = [
    hashOf({ ...STORE, name: 'images' }),
    hashOf({ ...STORE, namespace: 'billing' }),
    hashOf({ ...STORE, spec: { thresholdSize: 1 } }),
    hashOf({ ...STORE, spec: { thresholdSize: 128_000, sidecar: { resources: { limits: { cpu: 1 } } } } }),
    hashOf(STORE, { image: 'other' }),
    hashOf(STORE, { imagePullPolicy: 'Always' }),
    hashOf(STORE, { imagePullSecrets: [] }),
    hashOf(STORE, { runAsUser: 1_000 }),
    hashOf(STORE, { runAsUser: undefined }),
  ];
  expect(new Set([DEFAULTS.annotation.hash, ...changed]).size).toBe(changed.length + 1);
  expect(hashOf({ ...STORE, spec: { thresholdSize: '128k' } })).toBe(DEFAULTS.annotation.hash);
  expect(hashOf(STORE, { version: '9.9.9' })).toBe(DEFAULTS.annotation.hash);
  expect(DEFAULTS.annotation).toEqual({
    store: 'documents.orders',
    version: '1.2.3',
    hash: expect.stringMatching(/^[0-9a-f]{10}$/),
  });
});

test('a port of a container that the sidecar needs is a warning, and no reason against injection', () => {
  expect(warningsOf(PODS['ports of the sidecar']?.pod ?? {})).toEqual([
    expect.stringMatching(/^container worker has port 8577, which the sidecar needs: .*choose another port$/),
    expect.stringMatching(/^container worker has port 8578, which the sidecar needs: /),
  ]);
});

test.each<[string, object, number]>([
  [
    'its own ports by UDP',
    { containers: [{ name: 'a', ports: [{ containerPort: 8577, protocol: 'UDP' }] }] },
    0,
  ],
  ['other ports', { containers: [{ name: 'a', ports: [{ containerPort: 8579 }] }] }, 0],
  ['the port of the sidecar itself', { initContainers: [DEFAULTS.container] }, 0],
  ['a port of an init container', { initContainers: [{ name: 'a', ports: [{ containerPort: 8577 }] }] }, 1],
  ['resources of the whole pod', { resources: { requests: { cpu: '100m' } }, containers: [] }, 1],
])('a pod with %s', (_what, spec, count) => {
  const warnings = warningsOf({ spec });
  expect(warnings).toHaveLength(count);
  for (const warning of warnings) expect(warning.length).toBeLessThanOrEqual(256);
});
