import { listAt } from '@largepayload/crds';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { applyPatch } from '../apply-patch.ts';
import { injectSidecar } from '../inject-sidecar.ts';
import { SETTINGS, STORE } from '../pods.fixture.ts';
import { injectManifests } from './inject-manifests.ts';

const inject = (text: string) =>
  injectManifests(text, { store: 'documents.orders', namespace: undefined, settings: SETTINGS });

const ODD = `# about the worker
apiVersion: apps/v1
kind: Deployment # yes

metadata:
  name: 'worker'
  namespace: billing
  labels: {a: "yes", 'b': no, "on": 0x1F}
spec:
  template:
    metadata:
    spec:
      hostNetwork: no
      volumes:
      - name: scripts # of the worker
        configMap: {defaultMode: 0644, name: "0644"}
      # the containers
      containers:
      # first
      - name: worker
        args:
        - |
          #!/bin/sh
          echo "a: b"  # no comment

          ---
        - >-
          folded and
          long ${'text '.repeat(40)}

          end
        - "quoted \\n\\u00e9 text"
        - 1_000
        - 12:30:45
        - 2026-01-01
        - ~
        - 1e3
        - 1.10
        env: []
`;

describe('a document that is changed', () => {
  const read = (text: string) => parse(text, { version: '1.1' });

  test('has every value that it had, as kubectl reads it', () => {
    const value = read(ODD);
    const { template } = value.spec;
    const placed = { ...template, metadata: { namespace: 'billing' } };
    const result = injectSidecar(placed, STORE, SETTINGS);
    const pod = applyPatch({ ...template, metadata: {} }, result.kind === 'injected' ? result.patch : []);
    expect(read(inject(ODD).text)).toEqual({ ...value, spec: { ...value.spec, template: pod } });
  });

  test('keeps its comments, its numbers and its quotes', () => {
    const { text } = inject(ODD);
    for (const part of ODD.match(/#.*|0644|"0644"|0x1F|1_000|12:30:45|1\.10|1e3|'worker'|"yes"/g) ?? [])
      expect(text).toContain(part);
    expect(text).toMatch(/# the containers\n {6}containers:\n {6}# first\n {6}- name: worker\n/);
  });

  test('is as it was when it is injected again', () => {
    const { text } = inject(ODD);
    expect(inject(text).text).toBe(text);
    expect(inject(text).outcomes).toMatchObject([{ kind: 'present', message: 'it has a sidecar already' }]);
  });

  test('leaves its neighbours byte for byte', () => {
    const neighbour = 'kind: Service\nspec: {a:   1}\n';
    const { text } = inject(`${neighbour}---  # x\n${ODD}---\n${neighbour}`);
    expect(text.startsWith(`${neighbour}---  # x\n# about the worker\n`)).toBe(true);
    expect(text.endsWith(`\n---\n${neighbour}`)).toBe(true);
    expect(parseAllDocuments(text)).toHaveLength(3);
  });

  test.each([
    ['indented lists', 'spec:\n  containers:\n    - name: a\n', /containers:\n {4}- name: a/],
    ['lists that are not', 'spec:\n  containers:\n  - name: a\n', /containers:\n {2}- name: a/],
    [
      'JSON of two columns',
      '{\n  "spec": {\n    "containers": [{"name": "a"}]}}',
      /\n {2}"spec": \{\n {4}"containers"/,
    ],
    ['JSON in one line', '{"spec":{"containers":[{"name":"a"}]}}', /^[^\n]*\n$/],
    ['JSON in YAML', '--- {"spec":{"containers":[{"name":"a"}]}}', /^---/],
  ])('keeps the layout of %s', (_what, spec, layout) => {
    const head = spec.includes('{')
      ? spec.replace('{', '{"kind":"Pod","metadata":{"name":"a","namespace":"b"},')
      : `kind: Pod\nmetadata: {name: a, namespace: b}\n${spec}`;
    const { text } = inject(head);
    expect(text).toMatch(layout);
    expect(parse(text).spec.initContainers).toHaveLength(1);
  });

  test.each([
    ['aliases', 'containers: [{name: a, env: &e [{name: X, value: "0644"}]}, {name: b, env: *e}]'],
    ['merged maps', 'containers: [&a {name: a, env: [{name: X, value: "0644"}]}, {<<: *a, name: b}]'],
    ['a map merged in place', 'containers: [{name: a}, {<<: {env: [{name: X}]}, name: b}]'],
  ])('with %s gets each variable once in each container', (_what, spec) => {
    const { text } = inject(`kind: Pod\nmetadata: {name: a, namespace: b}\nspec: {${spec}}\n`);
    const containers = listAt(parse(text), 'spec', 'containers');
    expect(containers.map(({ name }) => name)).toEqual(['a', 'b']);
    for (const container of containers) {
      const names = listAt(container, 'env').map(({ name }) => name);
      expect(names.filter((name) => name === 'LARGE_PAYLOAD_SERVICE_URL')).toHaveLength(1);
      expect(new Set(names).size).toBe(names.length);
    }
    expect(inject(text).text).toBe(text);
  });
});
