import { textAt } from '@largepayload/crds';
import { type Manifest, renderChart } from '@largepayload/testing/cluster/rendered-chart';
import { helm } from '@largepayload/testing/programs/helm';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { beforeAll, describe, expect, test } from 'vitest';
import { ApiError, type ResourceKind } from '../../kubernetes/api.ts';
import { NEVER } from '../../kubernetes/api-server.fixture.ts';
import { PODS } from '../pods.fixture.ts';
import { MATCH_CONDITIONS } from './match-conditions.ts';
import { policyBed } from './policy-bed.fixture.ts';

const { api, makeNamespace, makePod } = policyBed();
const INJECT = 'largepayload.dev/inject';
const KINDS: Readonly<Record<string, ResourceKind>> = Object.fromEntries(
  ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'].map((kind) => {
    const plural = kind.endsWith('y') ? `${kind.slice(0, -1)}ies`.toLowerCase() : `${kind}s`.toLowerCase();
    return [kind, { group: 'admissionregistration.k8s.io', version: 'v1', kind, plural }];
  }),
);

/** The policy and its bindings, as the chart has them. */
async function rendered(withoutSidecar: string): Promise<readonly Manifest[]> {
  const program = await helm((line) => console.info(line));
  const manifests = await renderChart(program, { injection: { withoutSidecar } });
  return manifests.filter(({ kind }) => KINDS[kind] !== undefined);
}

const worker = { name: 'worker', image: 'worker:1' };
const sidecar = { name: 'large-payload-sidecar', image: 'sidecar:1', restartPolicy: 'Always' };
const volume = { name: 'large-payload-sidecar', emptyDir: {} };
const ASKING = { labels: { [INJECT]: 'documents' } };

/** Why the API server refuses a pod of the namespace; `undefined`: it has made the pod. */
async function refusal(namespace: string, spec: object, metadata: object = {}): Promise<string | undefined> {
  try {
    await makePod(namespace, { metadata, spec: { containers: [worker], ...spec } });
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

beforeAll(async () => {
  // No policy injects here: these pods are as a failed injection leaves them.
  await makeNamespace('plain');
  await makeNamespace('labelled', { labels: { [INJECT]: 'documents.orders' } });
  await makeNamespace('opted-out', { labels: { [INJECT]: 'false' } });
  await makeNamespace('operators', { labels: { [INJECT]: 'documents.orders' } });
  for (const manifest of await rendered('Deny'))
    await api().create(KINDS[manifest.kind] as ResourceKind, manifest, NEVER);
  await eventualValue(async () => await refusal('labelled', {}));
});

describe('a pod that asks for a sidecar and has none is refused', () => {
  test('with the namespace and the ways out in the message, by the label of the namespace', async () => {
    const message = await refusal('labelled', {});
    expect(message).toContain('spec.allowedNamespaces');
    expect(message).toContain('payload-store doctor --namespace labelled');
    expect(message).toContain(`${INJECT}: "false"`);
  });

  test('by its own label', async () => {
    expect(await refusal('plain', {}, ASKING)).toContain('gets no sidecar');
    expect(await refusal('opted-out', {}, ASKING)).toContain('gets no sidecar');
  });

  test('if another admission has removed restartPolicy, with a message about that', async () => {
    const { restartPolicy: _removed, ...stripped } = sidecar;
    expect(await refusal('labelled', { initContainers: [stripped] })).toContain('no restartPolicy: Always');
  });

  test('if its own container or volume has the name of the sidecar', async () => {
    expect(await refusal('labelled', { containers: [worker, { ...worker, name: sidecar.name }] })).toContain(
      'no container or volume of the pod is named',
    );
    expect(await refusal('labelled', { volumes: [volume] })).toContain('gets no sidecar');
  });
});

describe('a pod is made', () => {
  test.each<[string, string, object, object]>([
    ['with a sidecar', 'labelled', { initContainers: [sidecar] }, {}],
    ['without label, in a namespace without label', 'plain', {}, {}],
    ['that opts out', 'labelled', {}, { labels: { [INJECT]: 'false' } }],
    ['in a namespace that opts out', 'opted-out', {}, {}],
    ['in the namespace of the operator', 'operators', {}, {}],
    ['in kube-system', 'kube-system', {}, ASKING],
    ['on the network of the node', 'labelled', { hostNetwork: true }, {}],
    ['for Windows', 'labelled', { os: { name: 'windows' } }, {}],
    ['for Windows by its node selector', 'labelled', { nodeSelector: { 'kubernetes.io/os': 'windows' } }, {}],
    ['of a store', 'labelled', {}, { labels: { 'app.kubernetes.io/managed-by': 'large-payload-operator' } }],
  ])('%s', async (_what, namespace, spec, metadata) => {
    expect(await refusal(namespace, spec, metadata)).toBeUndefined();
  });

  test('that the kubelet runs from a file: the API server refuses it by its own rules only', async () => {
    const mirror = PODS['a static pod']?.pod as { metadata: object };
    expect(await refusal('labelled', {}, mirror.metadata)).not.toContain('sidecar');
  });
});

test('with Warn nothing is refused, and an error of the policy refuses nothing either', async () => {
  const [policy, ...bindings] = await rendered('Warn');
  expect(policy?.spec.failurePolicy).toBe('Ignore');
  expect(bindings.map(({ spec }) => spec.validationActions)).toEqual([['Warn'], ['Warn']]);
});

test('the policy spares the pods that the operator skips, and speaks of those whose names are taken', async () => {
  const [policy] = await rendered('Warn');
  const skipped = MATCH_CONDITIONS.filter(({ name }) => name !== 'not-NameTaken');
  expect(policy?.spec.matchConditions).toEqual(skipped);
  expect(textAt(policy?.spec, 'validations', '0', 'message')).toContain('large-payload-sidecar');
});
