import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART, type Manifest, renderChart, type Values } from '@largepayload/testing/cluster/rendered-chart';
import { helm as helmProgram } from '@largepayload/testing/programs/helm';
import { unlessMissing } from '@largepayload/testing/programs/unless-missing';

export const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
/** Values that ask for all that the chart can do. */
export const EVERYTHING: Values = {
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

/** No pod gets a sidecar. */
export const OFF: Values = { injection: { enabled: false } };

/** The path of Helm's program; `undefined` where it cannot be had. */
export const helm = await unlessMissing(() => helmProgram((line) => console.info(line)));
export const render = (values?: Values, flags?: readonly string[]) =>
  renderChart(helm as string, values, { flags: flags ?? [] });
export const readChart = (file: string) => readFileSync(join(CHART, file), 'utf8');

export function only(manifests: readonly Manifest[], kind: string, name?: RegExp): Manifest {
  const found = manifests.filter((each) => each.kind === kind && (name?.test(each.metadata.name) ?? true));
  if (found.length !== 1) throw new Error(`${found.length} of kind ${kind}`);
  return found[0] as Manifest;
}

export const operatorPod = (manifests: readonly Manifest[]) =>
  only(manifests, 'Deployment').spec.template.spec;
export const testPods = (manifests: readonly Manifest[]) =>
  manifests.filter(({ kind }) => kind === 'Pod').map(({ spec }) => spec);
export const kindsOf = (manifests: readonly Manifest[]) => manifests.map(({ kind }) => kind).sort();
