import { expect, test } from 'vitest';
import { effectiveAuthentication } from './authentication.ts';
import { desiredObjects } from './desired-objects.ts';
import { wellStore } from './situation.fixture.ts';
import { decideStatus } from './status.ts';
import { manifestOf, ON_A_VOLUME, ON_S3, objectNamed, podsOf, SETTINGS, store } from './stores.fixture.ts';

/** As version 0.1 wrote it. */
const OLD_STATUS = {
  observedGeneration: 3,
  endpoint: 'http://orders-gateway.payments.svc:8577',
  replicas: 2,
  conditions: [
    {
      ...{ type: 'Ready', status: 'True', reason: 'Ready', message: 'payloads are stored and served' },
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
};
const REPORTED_WORKERS = {
  pods: { injected: 0, missed: 0, outdated: 0 },
  conditions: [{ ...OLD_STATUS.conditions[0], type: 'InjectionCurrent', reason: 'NoPods' }],
};
const REPORTED_WORKERS_OF_OLD = {
  ...{ ...OLD_STATUS, ...REPORTED_WORKERS },
  conditions: [...REPORTED_WORKERS.conditions, ...OLD_STATUS.conditions],
};
const asking = (authentication: string, base: object = ON_S3) => ({ ...base, gateway: { authentication } });

test.each<[string, object, unknown, string]>([
  ['a new store', ON_S3, undefined, 'Token'],
  ['a new store whose workers are reported already', ON_S3, REPORTED_WORKERS, 'Token'],
  ['a store of version 0.1 whose workers are reported already', ON_S3, REPORTED_WORKERS_OF_OLD, 'Migrate'],
  ['a new store on a volume', ON_A_VOLUME, undefined, 'Token'],
  ['a store of version 0.1', ON_S3, OLD_STATUS, 'Migrate'],
  [
    'a store of version 0.1 that has conditions only',
    ON_S3,
    { conditions: OLD_STATUS.conditions },
    'Migrate',
  ],
  ['a store that was just made by version 0.1', ON_S3, { observedGeneration: 1 }, 'Migrate'],
  ['a store whose status has it', ON_S3, { ...OLD_STATUS, authentication: 'Token' }, 'Token'],
  ['a store whose status has it alone', ON_S3, { authentication: 'None' }, 'None'],
  ['a store whose status has a value that is none', ON_S3, { authentication: 'Some' }, 'Token'],
  ['a new store that asks for it', asking('None'), undefined, 'None'],
  ['a store of version 0.1 that asks for it', asking('Token'), OLD_STATUS, 'Token'],
  ['an edited store', asking('Migrate'), { ...OLD_STATUS, authentication: 'Token' }, 'Migrate'],
  // What is in force must not change while a person corrects the rest of the resource.
  [
    'a store whose spec became invalid',
    { ...ON_S3, thresholdSize: 'big' },
    { authentication: 'None', observedGeneration: 1 },
    'None',
  ],
  ['a new store whose spec is invalid', { ...ON_S3, thresholdSize: 'big' }, undefined, 'Token'],
])('the authentication of %s is as expected', (_what, spec, status, expected) => {
  expect(effectiveAuthentication(store({ ...spec }, {}, status))).toBe(expected);
});

test('the status keeps the authentication of a store from one reconciliation to the next', () => {
  const later = (spec: object, status: unknown) => {
    const situation = wellStore();
    const observed = { ...situation.observed, store: store({ ...spec }, {}, status) };
    return decideStatus({ ...situation, observed });
  };
  const first = later(ON_S3, undefined);
  expect(first.authentication).toBe('Token');
  expect(later(ON_S3, first).authentication).toBe('Token');
  const upgraded = later(ON_S3, OLD_STATUS);
  expect(upgraded.authentication).toBe('Migrate');
  expect(later(ON_S3, upgraded).authentication).toBe('Migrate');
  const edited = later(asking('Token'), upgraded);
  expect(edited.authentication).toBe('Token');
  expect(later(ON_S3, edited).authentication).toBe('Token');
  const invalid = later({ ...ON_S3, thresholdSize: 'big' }, undefined);
  expect(later(ON_S3, invalid).authentication).toBe('Token');
});

test.each([
  ['Token', 'https', 'https'],
  ['Migrate', 'https', 'tcp'],
  ['None', 'http', 'http'],
])('in mode %s clients are led to %s, and the Service is for %s', (authentication, scheme, protocol) => {
  const status = { ...OLD_STATUS, authentication };
  const situation = wellStore();
  const observed = { ...situation.observed, store: store(ON_S3, {}, status) };
  expect(decideStatus({ ...situation, observed }).endpoint).toBe(
    `${scheme}://orders-gateway.payments.svc:8577`,
  );
  const service = objectNamed(desiredObjects(store(ON_S3, {}, status), SETTINGS), 'Service orders-gateway');
  expect(service.spec.ports).toMatchObject([{ port: 8577, appProtocol: protocol }]);
});

test.each(['Token', 'Migrate', 'None'])('pods have what they need in mode %s, and nothing else', (mode) => {
  const objects = desiredObjects(store(ON_S3, {}, { authentication: mode }), SETTINGS);
  const [gateway, reaper] = podsOf(objects);
  expect(manifestOf(objects, gateway)).toContain(`authentication: ${mode}`);
  const volume = (name: string) => gateway.spec.volumes.find((each: { name: string }) => each.name === name);
  const args = gateway.spec.containers[0].args;
  // A certificate that does not exist yet must not keep the pod from starting.
  expect(volume('tls').secret).toMatchObject({ secretName: 'largepayload-tls', optional: true });
  expect(args).toEqual(expect.arrayContaining(['--tls-dir', '/var/run/secrets/payload-store/tls']));
  expect(args.includes('--kubernetes-dir')).toBe(mode !== 'None');
  const token = { serviceAccountToken: { path: 'token', expirationSeconds: 3_600 } };
  const ca = { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } };
  expect(volume('kubernetes')?.projected.sources).toEqual(mode === 'None' ? undefined : [token, ca]);
  for (const pod of [gateway, reaper]) expect(pod.spec.automountServiceAccountToken).toBe(false);
  expect(JSON.stringify(reaper)).not.toMatch(/projected|largepayload-tls|tls-dir|kubernetes-dir/);
  expect(reaper).toEqual(podsOf(desiredObjects(store(), SETTINGS))[1]);
});

test('the switch from Migrate to Token replaces one gateway at a time, once the new one is ready', () => {
  const objects = desiredObjects(store(asking('Token'), {}, { authentication: 'Migrate' }), SETTINGS);
  expect(objectNamed(objects, 'Deployment orders-gateway').spec).toMatchObject({
    replicas: 2,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
  });
});

test.each(['Token', 'Migrate', 'None'])(
  'in mode %s with an issuer, payloads are open to the namespaces of the store only',
  (authentication) => {
    const oidc = [{ issuer: 'https://a.example', audience: 'p', requiredClaims: { sub: 'x' } }];
    const objects = desiredObjects(store({ ...ON_S3, gateway: { authentication, oidc } }), SETTINGS);
    const [payloads] = objectNamed(objects, 'NetworkPolicy orders-gateway').spec.ingress;
    expect(payloads.from[0].namespaceSelector.matchExpressions[0].values).toEqual(['payments']);
  },
);

test('a gateway with a cache has that much more memory, unless the spec gives other limits', () => {
  const memoryOf = (gateway: object) => {
    const [pod] = podsOf(desiredObjects(store({ ...ON_S3, gateway }), SETTINGS));
    const { requests, limits } = pod.spec.containers[0].resources;
    return [requests.memory, limits.memory];
  };
  expect(memoryOf({})).toEqual(['192Mi', '512Mi']);
  expect(memoryOf({ cacheSize: '64Mi' })).toEqual(['256Mi', '576Mi']);
  expect(memoryOf({ cacheSize: 1_500_000 })).toEqual(['194Mi', '514Mi']);
  expect(memoryOf({ cacheSize: '64Mi', resources: { limits: { memory: '2Gi' } } })).toEqual(['256Mi', '2Gi']);
});
