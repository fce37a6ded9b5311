import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseLargePayloadStore } from '@largepayload/crds';
import { parseOptions as parseImageOptions } from '@largepayload/operator/image/options';
import { parseOptions } from '@largepayload/operator/options';
import { helm as helmProgram } from '@largepayload/testing/programs/helm';
import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import { runCommand } from '@largepayload/tools/run-command';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import rootPackage from '../../package.json' with { type: 'json' };
import {
  CHART,
  type Manifest,
  renderChart,
  renderNotes,
  type Values,
} from './fixtures/rendered-chart.fixture.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const EVERYTHING: Values = {
  image: { repository: 'registry.example:5000/payloads', tag: 'v9', digest: DIGEST, pullPolicy: 'Always' },
  imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
  replicas: 2,
  logLevel: 'debug',
  serviceAccount: { name: 'somebody', annotations: { a: 'b' } },
  podAnnotations: { note: 'x' },
  podLabels: { team: 'y', 'app.kubernetes.io/name': 'not-this' },
  priorityClassName: 'high',
  tolerations: [{ key: 'k', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
  networkPolicy: { enabled: true, from: [{ namespaceSelector: {} }] },
  metrics: { scrapeNamespaces: ['monitoring', 'observers'] },
  serviceMonitor: {
    enabled: true,
    interval: '10s',
    labels: { release: 'prometheus', 'app.kubernetes.io/name': 'x' },
  },
  podMonitor: { enabled: true },
};

const helm = await unlessMissing(() => helmProgram((line) => console.info(line)));
const render = (values?: Values, flags?: readonly string[]) =>
  renderChart(helm as string, values, { flags: flags ?? [] });
const readChart = (file: string) => readFileSync(join(CHART, file), 'utf8');

function only(manifests: readonly Manifest[], kind: string, name?: RegExp): Manifest {
  const found = manifests.filter((each) => each.kind === kind && (name?.test(each.metadata.name) ?? true));
  if (found.length !== 1) throw new Error(`${found.length} of kind ${kind}`);
  return found[0] as Manifest;
}

const operatorPod = (manifests: readonly Manifest[]) => only(manifests, 'Deployment').spec.template.spec;
const kindsOf = (manifests: readonly Manifest[]) => manifests.map(({ kind }) => kind).sort();

describe.skipIf(helm === undefined)('the chart', () => {
  test('has nothing that helm lint complains of', async () => {
    for (const values of [{}, EVERYTHING]) {
      const args = ['lint', '--strict', CHART, '--values', '-'];
      expect(await runCommand(helm as string, args, { input: JSON.stringify(values) })).toContain(
        ' 0 chart(s) failed',
      );
    }
  });

  test('has the version of everything else, and the image that is built', () => {
    expect(parse(readChart('Chart.yaml'))).toMatchObject({
      version: rootPackage.version,
      appVersion: rootPackage.version,
      kubeVersion: '>=1.29.0-0',
    });
    const { repository } = parse(readChart('values.yaml')).image;
    expect(parseImageOptions([]).image).toBe(`${repository}:${rootPackage.version}`);
  });

  test('is made of these objects', async () => {
    const always = [
      'ClusterRole',
      'ClusterRole',
      'ClusterRole',
      'ClusterRoleBinding',
      'CustomResourceDefinition',
    ];
    const operator = ['Deployment', 'Pod', 'Role', 'RoleBinding', 'Service', 'ServiceAccount'];
    expect(kindsOf(await render())).toEqual([...always, ...operator].sort());
    const optional = ['NetworkPolicy', 'PodDisruptionBudget', 'PodMonitor', 'ServiceMonitor'];
    expect(kindsOf(await render(EVERYTHING))).toEqual([...always, ...operator, ...optional].sort());
    const few = { crds: { install: false }, rbac: { aggregateToDefaultRoles: false } };
    expect(kindsOf(await render(few))).toEqual(['ClusterRole', 'ClusterRoleBinding', ...operator].sort());
  });

  test('labels its objects, and selects by what never changes', async () => {
    const manifests = await render(EVERYTHING);
    for (const { kind, metadata } of manifests) {
      if (kind === 'CustomResourceDefinition') continue;
      const common = {
        'app.kubernetes.io/name': 'large-payload-operator',
        'app.kubernetes.io/instance': 'payloads',
      };
      expect(metadata.labels, kind).toMatchObject(common);
      expect(metadata.namespace, kind).toBe(kind.startsWith('Cluster') ? undefined : 'operators');
    }
    const { selector, template } = only(manifests, 'Deployment').spec;
    expect(template.metadata.labels).toMatchObject({ ...selector.matchLabels, team: 'y' });
    expect(only(manifests, 'ServiceMonitor').metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(only(manifests, 'Service').spec.selector).toEqual(selector.matchLabels);
    expect(only(manifests, 'PodDisruptionBudget').spec.selector).toEqual(selector);
    expect(only(manifests, 'NetworkPolicy').spec.podSelector).toEqual(selector);
    expect(JSON.stringify(selector)).not.toContain(rootPackage.version);
  });

  test('leaves the CustomResourceDefinition, as it was generated, when it is uninstalled', async () => {
    const crd = only(await render(), 'CustomResourceDefinition');
    expect(crd).toEqual(parse(readFileSync(join(CHART, '../../crds/largepayloadstore.yaml'), 'utf8')));
    expect(crd.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
  });

  test('names fit, however long the name of the release', async () => {
    const release = 'r'.repeat(53);
    for (const { metadata } of await renderChart(helm as string, {}, { release })) {
      expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
      if (metadata.namespace) expect(metadata.name.length).toBeLessThanOrEqual(63);
    }
  });

  test('the operator understands its arguments', async () => {
    const read = async (values?: Values) => {
      const [container] = operatorPod(await render(values)).containers;
      expect(container.args[0]).toBe('/app/operator.mjs');
      return { ...parseOptions(container.args.slice(1)), runs: container.image };
    };
    const image = `largepayload/payload-store:${rootPackage.version}`;
    expect(await read()).toEqual({
      ...{ image, runs: image, imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
      ...{ namespace: 'operators', leaseName: 'payloads-large-payload-operator', logLevel: 'info' },
      metricsListen: { host: undefined, port: 8080 },
      scrapeNamespaces: [],
    });
    const pinned = `registry.example:5000/payloads@${DIGEST}`;
    expect(await read(EVERYTHING)).toMatchObject({
      ...{ image: pinned, runs: pinned, imagePullPolicy: 'Always', imagePullSecrets: ['one', 'two'] },
      logLevel: 'debug',
      scrapeNamespaces: ['monitoring', 'observers'],
    });
    expect(await read({ image: { tag: 'v9' } })).toMatchObject({ runs: 'largepayload/payload-store:v9' });
  });

  test('pods pass the Pod Security Standard `restricted`, and have requests and limits', async () => {
    const manifests = await render();
    for (const pod of [operatorPod(manifests), only(manifests, 'Pod').spec]) {
      expect(pod.securityContext).toEqual({
        ...{ runAsNonRoot: true, runAsUser: 65_532, runAsGroup: 65_532 },
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(pod).not.toHaveProperty('volumes');
      for (const container of pod.containers) {
        expect(container.securityContext).toEqual({
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
          capabilities: { drop: ['ALL'] },
        });
        expect(Object.keys(container.resources.requests)).toEqual(['cpu', 'memory']);
        expect(Object.keys(container.resources.limits)).toEqual(['cpu', 'memory']);
      }
    }
    const openShift = { podSecurityContext: { runAsUser: null, runAsGroup: null } };
    const { securityContext } = operatorPod(await render(openShift));
    expect(securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  });

  test('only the operator has a token of the API', async () => {
    const manifests = await render();
    expect(only(manifests, 'ServiceAccount').automountServiceAccountToken).toBe(false);
    expect(operatorPod(manifests).automountServiceAccountToken).toBe(true);
    expect(only(manifests, 'Pod').spec.automountServiceAccountToken).toBe(false);
  });

  test('probes and metrics are where the operator has them', async () => {
    const [container] = operatorPod(await render()).containers;
    expect(container.ports).toEqual([{ name: 'metrics', containerPort: 8080 }]);
    expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'metrics' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'metrics' });
  });

  test('placement is what was asked for', async () => {
    expect(operatorPod(await render(EVERYTHING))).toMatchObject({
      ...{ priorityClassName: 'high', tolerations: EVERYTHING.tolerations, affinity: EVERYTHING.affinity },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
      serviceAccountName: 'somebody',
    });
  });

  test('who is let in by the NetworkPolicy', async () => {
    const rules = async (values: Values) => only(await render(values), 'NetworkPolicy').spec.ingress;
    expect(await rules({ networkPolicy: { enabled: true } })).toEqual([{ ports: [{ port: 'metrics' }] }]);
    const [{ from }] = await rules(EVERYTHING);
    const testPod = only(await render(EVERYTHING), 'Pod').metadata.labels;
    expect(from).toEqual([{ namespaceSelector: {} }, { podSelector: { matchLabels: testPod } }]);
  });

  test.each([
    [{ image: { tagg: 'x' } }, "at '/image': additional properties 'tagg' not allowed"],
    [{ replica: 2 }, "at '': additional properties 'replica' not allowed"],
    [{ replicas: 0 }, "at '/replicas': minimum: got 0, want 1"],
    [{ image: { digest: 'latest' } }, "at '/image/digest': 'latest' does not match pattern"],
    [{ logLevel: 'loud' }, "at '/logLevel': value must be one of 'trace', 'debug', 'info', 'warn', 'error'"],
    [{ logLevel: null }, "missing property 'logLevel'"],
    [{ image: { pullPolicy: null } }, "at '/image': missing property 'pullPolicy'"],
    [{ fullnameOverride: 'My_Operator' }, "at '/fullnameOverride': 'My_Operator' does not match pattern"],
    [{ imagePullSecrets: ['name'] }, "at '/imagePullSecrets/0': got string, want object"],
    [
      { metrics: { scrapeNamespaces: ['A_B'] } },
      "at '/metrics/scrapeNamespaces/0': 'A_B' does not match pattern",
    ],
    [{ podLabels: { a: 1 } }, "at '/podLabels/a': got number, want string"],
  ])('refuses %j in words', async (values, words) => {
    await expect(render(values)).rejects.toThrow(words);
  });

  test('can be a part of another chart, and refuses a Kubernetes that is too old', async () => {
    expect(await render({ global: { anything: 1 } })).not.toEqual([]);
    await expect(render({}, ['--kube-version', '1.28'])).rejects.toThrow('requires kubeVersion: >=1.29.0-0');
  });

  test('the README has every value with its default, and the schema says what each is', () => {
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

  test('the notes name what was installed, and a store that is valid', async () => {
    const notes = await renderNotes(helm as string);
    expect(notes).toContain(
      '--namespace operators rollout status deployment/payloads-large-payload-operator',
    );
    expect(notes).toContain('helm test payloads --namespace operators');
    const [, manifest = ''] = /<<'END'\n(.*?)\n {2}END/s.exec(notes) ?? [];
    const { metadata } = parseLargePayloadStore(manifest.replaceAll('YOUR-BUCKET', 'bucket'), 'notes');
    expect(notes).toContain(`lps/${metadata.name} `);
    expect(notes).toContain(`http://${metadata.name}-gateway.YOUR-NAMESPACE:8577`);
    expect(notes).not.toContain('crds.install is false');
    expect(await renderNotes(helm as string, { crds: { install: false } })).toContain(
      'crds.install is false',
    );
  });

  test('helm test waits until the operator says that it is ready', async () => {
    const { spec, metadata } = only(await render(), 'Pod');
    expect(metadata.annotations).toMatchObject({ 'helm.sh/hook': 'test' });
    const args: string[] = spec.containers[0].args;
    const service = only(await render(), 'Service');
    expect(args.at(-1)).toBe(`http://${service.metadata.name}.operators:8080/readyz`);
    const answers = [503, 200];
    const asked: (string | undefined)[] = [];
    await using server = createServer(({ url }, response) => {
      asked.push(url);
      response.writeHead(answers[asked.length - 1] ?? 500).end('waiting for the stores\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
    const program = spawn(process.execPath, [...args.slice(0, -1), url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output, [code]] = await Promise.all([program.stdout.toArray(), once(program, 'exit')]);
    expect(code).toBe(0);
    expect(output.join('')).toContain('503 waiting for the stores');
    expect(asked).toEqual(['/readyz', '/readyz']);
  });
});

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Maps that users fill are leaves. */
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
