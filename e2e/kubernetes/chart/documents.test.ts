import { parseLargePayloadStore } from '@largepayload/crds';
import { renderNotes, type Values } from '@largepayload/testing/cluster/rendered-chart';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { helm, readChart } from './chart.fixture.ts';

describe.skipIf(helm === undefined)('the chart', () => {
  test('has a README with every value and its default, and a schema that describes each', () => {
    const rows = readChart('README.md').matchAll(/^\| `([\w.]+)` \|(.*?)\|/gm);
    const documented = new Map([...rows].map(([, name = '', fallback = '']) => [name, fallback.trim()]));
    const defaults = new Map(leaves(parse(readChart('values.yaml'))));
    expect([...documented.keys()].sort()).toEqual([...defaults.keys()].sort());
    for (const [name, value] of defaults) {
      const fallback = documented.get(name) ?? '';
      if (value === '') expect(fallback, name).not.toContain('`');
      else if (!isObject(value)) expect(fallback, name).toBe(`\`${[value].flat().length ? value : '[]'}\``);
    }
    const unsaid = [...properties(JSON.parse(readChart('values.schema.json')))].filter(
      ([, node]) => !node.description,
    );
    expect(unsaid.map(([name]) => name)).toEqual([]);
  });

  test('has notes that name what was installed, and a store that is valid', async () => {
    const notes = await renderNotes(helm as string);
    expect(notes).toContain(
      '--namespace operators rollout status deployment/payloads-large-payload-operator',
    );
    expect(notes).toContain('helm test payloads --namespace operators');
    const [, manifest = ''] = /<<'END'\n(.*?)\n {2}END/s.exec(notes) ?? [];
    const { metadata } = parseLargePayloadStore(manifest.replaceAll('YOUR-BUCKET', 'bucket'), 'notes');
    expect(notes).toContain(`lps/${metadata.name} `);
    expect(notes).toContain(`https://${metadata.name}-gateway.YOUR-NAMESPACE.svc:8577`);
    expect(notes).not.toContain('crds.install is false');
    expect(await renderNotes(helm as string, { crds: { install: false } })).toContain(
      'crds.install is false',
    );
  });
});

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Values by their path. A map that users fill is one value. */
function leaves(values: Values, path = ''): [string, unknown][] {
  return Object.entries(values).flatMap(([name, value]) => {
    const at = `${path}${name}`;
    const isLeaf =
      !isObject(value) || Object.keys(value).length === 0 || /^(nodeSelector|podSecurityContext)$/.test(at);
    return isLeaf ? [[at, value] as [string, unknown]] : leaves(value, `${at}.`);
  });
}

interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

function* properties(node: SchemaNode, path = ''): Generator<[string, SchemaNode]> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    yield [`${path}.${name}`, child];
    yield* properties(child, `${path}.${name}`);
  }
  for (const child of Object.values(node.$defs ?? {})) yield* properties(child, path);
}
