import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseOptions as parseImageOptions } from '@largepayload/operator/image/options';
import { CHART, renderChart } from '@largepayload/testing/cluster/rendered-chart';
import { runCommand } from '@largepayload/tools/run-command';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import rootPackage from '../../../package.json' with { type: 'json' };
import { EVERYTHING, helm, kindsOf, OFF, only, readChart, render } from './chart.fixture.ts';

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

  test('renders these objects, and further ones that its values ask for', async () => {
    const always = [
      'ClusterRole',
      'ClusterRole',
      'ClusterRole',
      'ClusterRoleBinding',
      'CustomResourceDefinition',
    ];
    const operator = ['Deployment', 'Pod', 'Role', 'RoleBinding', 'Service', 'ServiceAccount'];
    const webhook = ['MutatingWebhookConfiguration', 'Pod', 'PodDisruptionBudget', 'Service'];
    const binding = 'ValidatingAdmissionPolicyBinding';
    const injection = [...webhook, 'ValidatingAdmissionPolicy', binding, binding];
    expect(kindsOf(await render())).toEqual([...always, ...operator, ...injection].sort());
    const optional = ['NetworkPolicy', 'PodMonitor', 'ServiceMonitor'];
    expect(kindsOf(await render(EVERYTHING))).toEqual(
      [...always, ...operator, ...injection, ...optional].sort(),
    );
    const few = { ...OFF, crds: { install: false }, rbac: { aggregateToDefaultRoles: false } };
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
      expect(metadata.namespace, kind).toBe(
        /^Cluster|Admission|^Mutating/.test(kind) ? undefined : 'operators',
      );
    }
    const { selector, template } = only(manifests, 'Deployment').spec;
    expect(template.metadata.labels).toMatchObject({ ...selector.matchLabels, team: 'y' });
    expect(only(manifests, 'ServiceMonitor').metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(only(manifests, 'Service', /-metrics$/).spec.selector).toEqual(selector.matchLabels);
    expect(only(manifests, 'PodDisruptionBudget').spec.selector).toEqual(selector);
    expect(only(manifests, 'NetworkPolicy').spec.podSelector).toEqual(selector);
    expect(JSON.stringify(selector)).not.toContain(rootPackage.version);
  });

  test('leaves the CustomResourceDefinition, as it was generated, when it is uninstalled', async () => {
    const crd = only(await render(), 'CustomResourceDefinition');
    expect(crd).toEqual(parse(readFileSync(join(CHART, '../../crds/largepayloadstore.yaml'), 'utf8')));
    expect(crd.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
  });

  test('gives its objects names that fit, however long the name of the release', async () => {
    const release = 'r'.repeat(53);
    for (const { metadata } of await renderChart(helm as string, {}, { release })) {
      expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
      if (metadata.namespace) expect(metadata.name.length).toBeLessThanOrEqual(63);
    }
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
    [{ certificates: { issuerRef: { name: 'internal' } } }, "at '/certificates/caBundle': minLength"],
    [
      { certificates: { caBundle: 'secret' } },
      "at '/certificates/caBundle': 'secret' does not match pattern",
    ],
    [
      { injection: { mode: 'Off' } },
      "at '/injection/mode': value must be one of 'Auto', 'Webhook', 'Policy'",
    ],
    [{ injection: { runAsUser: 0 } }, "at '/injection/runAsUser': minimum: got 0, want 1"],
    [{ injection: { failurePolicy: null } }, "at '/injection': missing property 'failurePolicy'"],
    [{ podLabels: { a: 1 } }, "at '/podLabels/a': got number, want string"],
  ])('refuses %j with a message that names the value', async (values, words) => {
    await expect(render(values)).rejects.toThrow(words);
  });

  test('can be a part of another chart, and refuses a Kubernetes that is too old', async () => {
    expect(await render({ global: { anything: 1 } })).not.toEqual([]);
    await expect(render({}, ['--kube-version', '1.28'])).rejects.toThrow('requires kubeVersion: >=1.29.0-0');
  });
});
