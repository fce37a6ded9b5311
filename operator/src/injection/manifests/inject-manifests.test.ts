import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, listAt, textAt } from '@largepayload/crds';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { applyPatch } from '../apply-patch.ts';
import { injectSidecar } from '../inject-sidecar.ts';
import { judgePod } from '../judge-pod.ts';
import { PODS, SETTINGS, STORE } from '../pods.fixture.ts';
import type { RawPod } from '../raw-pod.ts';
import { sidecarFor } from '../sidecar.ts';
import { injectManifests, type ManifestOptions } from './inject-manifests.ts';

const OPTIONS: ManifestOptions = { store: 'documents.orders', namespace: undefined, settings: SETTINGS };
const inject = (text: string, options: Partial<ManifestOptions> = {}) =>
  injectManifests(text, { ...OPTIONS, ...options });

const POD_SPEC = { containers: [{ name: 'worker', image: 'worker:1' }] };
const TEMPLATE = { metadata: { labels: { app: 'worker' } }, spec: POD_SPEC };
const named = { metadata: { name: 'worker', namespace: 'billing' } };

const firstContainer = (pod: unknown) => listAt(pod, 'spec', 'initContainers')[0];
const SIDECAR = expect.objectContaining({ name: 'large-payload-sidecar', restartPolicy: 'Always' });

describe('the pod is found in', () => {
  test.each<[string, object, string[]]>([
    ['a Pod', { apiVersion: 'v1', kind: 'Pod', spec: POD_SPEC }, []],
    ['a Deployment', { kind: 'Deployment', spec: { replicas: 1, template: TEMPLATE } }, ['spec', 'template']],
    ['a StatefulSet', { kind: 'StatefulSet', spec: { template: TEMPLATE } }, ['spec', 'template']],
    ['a DaemonSet', { kind: 'DaemonSet', spec: { template: TEMPLATE } }, ['spec', 'template']],
    ['a ReplicaSet', { kind: 'ReplicaSet', spec: { template: TEMPLATE } }, ['spec', 'template']],
    [
      'a ReplicationController',
      { kind: 'ReplicationController', spec: { template: TEMPLATE } },
      ['spec', 'template'],
    ],
    ['a Job', { kind: 'Job', spec: { template: TEMPLATE } }, ['spec', 'template']],
    [
      'a CronJob',
      { kind: 'CronJob', spec: { jobTemplate: { spec: { template: TEMPLATE } } } },
      ['spec', 'jobTemplate', 'spec', 'template'],
    ],
    ['a PodTemplate', { kind: 'PodTemplate', template: TEMPLATE }, ['template']],
    [
      'an Argo Rollout',
      { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', spec: { template: TEMPLATE } },
      ['spec', 'template'],
    ],
  ])('%s', (_what, object, path) => {
    const manifest = { ...object, ...named };
    const { text, outcomes } = inject(JSON.stringify(manifest));
    expect(outcomes).toEqual([
      {
        object: `${textAt(object, 'kind')} billing/worker`,
        kind: 'injected',
        message: 'documents.orders',
        warnings: [],
      },
    ]);
    expect(firstContainer(at(JSON.parse(text), ...path))).toEqual(SIDECAR);
    expect(inject(text).text).toBe(text);
  });

  test('the items of a list, each by its namespace', () => {
    const items = [
      { kind: 'Pod', ...named, spec: POD_SPEC },
      { kind: 'Service', ...named, spec: {} },
      { kind: 'Pod', metadata: { name: 'other', namespace: 'orders' }, spec: POD_SPEC },
    ];
    const { text, outcomes } = inject(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    const [first, second, third] = listAt(JSON.parse(text), 'items');
    expect([first, third].map(firstContainer)).toEqual([SIDECAR, SIDECAR]);
    expect(second).toEqual(items[1]);
    expect(outcomes.map(({ object }) => object)).toEqual(['Pod billing/worker', 'Pod orders/other']);
    expect(text).toMatch(/documents\.orders-ca.*documents-ca/s);
  });
});

test.each([
  ['nothing', ''],
  ['comments', '# containers\n\n---\n# containers\n'],
  ['documents without pods', 'kind: Service\nspec: {a:   1}\n\n---   # x\n"kind" : Role\n...\n'],
  ['a kind whose containers are no pod', 'kind: Thing\nspec: {containers: [{name: a}]}\n'],
  [
    'a definition of a resource',
    'kind: CustomResourceDefinition\nspec: {versions: [{schema: {containers: []}}]}\n',
  ],
  ['broken YAML without pods', 'kind: [\n---\n\ta\n'],
  ['lines of Windows', 'kind: Service\r\n---\r\nkind: Role # containers\r\n'],
  [
    'texts that have no kind',
    '- containers\n---\ncontainers\n---\nspec: {template: {spec: {containers: []}}}\n',
  ],
  ['no line end', '---\nkind: Role'],
])('%s: the text comes out byte for byte', (_what, text) => {
  expect(inject(text)).toEqual({ text, outcomes: [] });
});

test.each(Object.entries(PODS))(
  '%s: a manifest of the pod becomes what the function makes of it',
  (_name, { pod }) => {
    const manifest = { kind: 'Pod', ...pod };
    const result = injectSidecar(pod, STORE, SETTINGS);
    const expected = result.kind === 'injected' ? applyPatch(manifest, result.patch) : manifest;
    expect(JSON.parse(inject(JSON.stringify(manifest)).text)).toEqual(expected);
  },
);

test('the example of a pod with a sidecar gets no second one, and counts as injected', () => {
  const example = join(import.meta.dirname, '../../../../examples/kubernetes/pod-with-sidecar.yaml');
  const { text, outcomes } = inject(readFileSync(example, 'utf8'));
  expect(outcomes).toMatchObject([{ object: 'Pod orders/check', kind: 'present' }]);
  const pod: RawPod = parse(text);
  expect(listAt(pod.spec, 'initContainers')).toHaveLength(1);
  expect(judgePod(pod, STORE, sidecarFor(STORE, SETTINGS))).toEqual({ kind: 'injected' });
});

describe('which store', () => {
  const pod = (labels: object, namespace?: string) =>
    JSON.stringify({ kind: 'Pod', metadata: { name: 'a', namespace, labels }, spec: POD_SPEC });
  const INJECT = 'largepayload.dev/inject';
  test.each<[string, string, Partial<ManifestOptions>, object]>([
    ['the given one', pod({}, 'billing'), {}, { kind: 'injected', message: 'documents.orders' }],
    ['of the namespace of the pod', pod({}, 'billing'), { store: 'images' }, { message: 'images.billing' }],
    [
      'of the given namespace',
      pod({}),
      { store: 'images', namespace: 'x' },
      { object: 'Pod x/a', message: 'images.x' },
    ],
    [
      'of another than the given namespace',
      pod({}),
      { namespace: 'x' },
      { object: 'Pod x/a', message: 'documents.orders' },
    ],
    ['of the namespace of the store', pod({}), {}, { object: 'Pod orders/a', message: 'documents.orders' }],
    ['of the label of the template', pod({ [INJECT]: 'images.x' }, 'billing'), {}, { message: 'images.x' }],
    [
      'none by the label',
      pod({ [INJECT]: 'false' }, 'b'),
      {},
      { kind: 'skipped', message: expect.stringContaining('"false"') },
    ],
    [
      'none in kube-system',
      pod({}, 'kube-system'),
      {},
      { kind: 'skipped', message: expect.stringContaining('kube-system') },
    ],
  ])('%s', (_which, text, options, outcome) => {
    expect(inject(text, options).outcomes).toMatchObject([outcome]);
  });
});

test('a pod that is skipped comes out byte for byte, with the reason', () => {
  const text =
    'kind: Pod\nmetadata: {name: a,   namespace: b}\nspec: {hostNetwork: yes, containers: [{name: a}]}\n';
  const result = inject(text);
  expect(result.text).toBe(text);
  expect(result.outcomes).toMatchObject([
    { kind: 'skipped', message: expect.stringContaining('hostNetwork: true') },
  ]);
});

test('warnings about the pod are reported', () => {
  const { outcomes } = inject(
    'kind: Pod\nmetadata: {name: a, namespace: b}\nspec: {containers: [{name: w, ports: [{containerPort: 8577}]}]}\n',
  );
  expect(outcomes).toMatchObject([{ kind: 'injected', warnings: [expect.stringContaining('port 8577')] }]);
});

describe('an error names the document and the fix', () => {
  const deep = `${'['.repeat(5_000)}`;
  test.each<[string, string, Partial<ManifestOptions>, RegExp]>([
    [
      'a tab',
      'kind: Role\n---\n# x\nkind: Pod\nspec:\n\tcontainers: []\n',
      {},
      /^document 2: line 6, column 1: /,
    ],
    [
      'a field given twice',
      '---\nkind: Pod\nspec: {containers: []}\nspec: {}\n',
      {},
      /^document 1: line 4, column 1: the field "spec" is given twice/,
    ],
    ['an open list', 'kind: Pod\nspec: {containers: [\n', {}, /^document 1: line 3, column 1: /],
    ['an unknown alias', 'kind: Pod\nspec: {containers: *nope}\n', {}, /^document 1: .*alias/],
    ['a nest', `kind: Pod\ncontainers: ${deep}`, {}, /^document 1: .*nested too deeply$/],
    [
      'no namespace',
      'kind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n',
      { store: 'documents' },
      /^document 1: Pod a has no namespace: give --namespace/,
    ],
    [
      'a label that names no store',
      'kind: Pod\nmetadata: {name: a, namespace: b, labels: {largepayload.dev/inject: X}}\nspec: {containers: []}\n',
      {},
      /^document 1: Pod a: label largepayload.dev\/inject of the pod: "X" names no store: write/,
    ],
  ])('%s', (_what, text, options, message) => {
    expect(() => inject(text, options)).toThrow(
      expect.objectContaining({ name: 'ManifestsError', message: expect.stringMatching(message) }),
    );
  });

  test('a list of more than 2 MiB, unless it is JSON', () => {
    const pod = { kind: 'Pod', ...named, spec: POD_SPEC, note: 'x'.repeat(2 * 2 ** 20) };
    const json = JSON.stringify({ kind: 'List', items: [pod] });
    expect(inject(json).outcomes).toHaveLength(1);
    const yaml = json.replace('{', 'kind: Any\nlist: {');
    expect(() => inject(yaml)).toThrow('document 1: it has pods, and is larger than 2 MiB: split the list');
  });

  test('an alias bomb', () => {
    const levels = Array.from(
      { length: 20 },
      (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level}, `.repeat(9)}]`,
    );
    const text = `kind: Pod\nl0: &l0 [x]\n${levels.join('\n')}\nspec: {containers: []}\n`;
    expect(() => inject(text)).toThrow(/^document 1: alias: /);
  });
});
