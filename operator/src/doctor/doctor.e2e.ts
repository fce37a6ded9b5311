import { readFile, writeFile } from 'node:fs/promises';
import { renderChart, type Values } from '@largepayload/testing/cluster/rendered-chart';
import { blocksOf } from '@largepayload/testing/documents/markdown';
import { helm } from '@largepayload/testing/programs/helm';
import { chosenKubernetes, hasMutatingPolicies } from '@largepayload/testing/programs/kubernetes-versions';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { policyObjects } from '../injection/policy/policy-objects.ts';
import { sidecarOf } from '../injection/raw-pod.ts';
import type { KubernetesObject, ResourceKind } from '../kubernetes/api.ts';
import { apiBed, applyCrd, NEVER, store } from '../kubernetes/api-server.fixture.ts';
import { DEPLOYMENTS, LARGE_PAYLOAD_STORES, NAMESPACES, PODS } from '../kubernetes/resources.ts';
import { readStore, type StoreSpec } from '../stores/read-store.ts';
import type { DiagnosedFinding } from './diagnose.ts';
import { connect, runDoctor } from './doctor.ts';
import { operatorFacts } from './operator-facts.ts';
import type { Question } from './read-cluster.ts';
import { pod } from './situation.fixture.ts';

const bed = apiBed();
const HAS_POLICIES = hasMutatingPolicies(chosenKubernetes());
const DEVELOPER = 'developer';
const rbac = (kind: string, plural: string): ResourceKind => ({
  ...{ group: 'rbac.authorization.k8s.io', version: 'v1', kind, plural },
});
/** What the ClusterRole `view` has of them; no controller fills that one here. */
const VIEWED = [
  { apiGroups: [''], resources: ['namespaces', 'pods', 'configmaps'], verbs: ['get', 'list'] },
  { apiGroups: ['largepayload.dev'], resources: ['largepayloadstores'], verbs: ['get', 'list'] },
];

beforeAll(async () => await applyCrd(bed.api()));

async function diagnosed(kubeconfig: string, question: Partial<Question> & { readonly namespace: string }) {
  const cluster = connect({ kubeconfig, context: undefined, version: 'test' });
  return await runDoctor(cluster, { store: undefined, operatorNamespace: undefined, ...question });
}

const asAdministrator = (question: Partial<Question> & { readonly namespace: string }) =>
  diagnosed(bed.controlPlane().kubeconfig, question);

/** The administrator who acts as another user. */
async function kubeconfigOf(user: string): Promise<string> {
  const { kubeconfig } = bed.controlPlane();
  const config = JSON.parse(await readFile(kubeconfig, 'utf8'));
  config.users[0].user.as = user;
  await writeFile(`${kubeconfig}.${user}`, JSON.stringify(config));
  return `${kubeconfig}.${user}`;
}

/** A namespace that asks for the store `documents` of another one. */
async function billing(): Promise<{ readonly namespace: string; readonly stores: string }> {
  const [namespace, stores] = [await bed.newNamespace(), await bed.newNamespace()];
  const labels = { 'largepayload.dev/inject': `documents.${stores}` };
  await bed
    .api()
    .patch(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }, NEVER);
  const documents = store(stores, 'documents') as KubernetesObject & { readonly spec: object };
  const spec = { ...documents.spec, allowedNamespaces: [namespace] };
  await bed.api().create(LARGE_PAYLOAD_STORES, { ...documents, spec }, NEVER);
  await bed.api().create(PODS, worker(namespace), NEVER);
  return { namespace, stores };
}

function worker(namespace: string): KubernetesObject {
  const { metadata, spec } = pod('worker-1');
  // Nothing gives pods a service account here.
  const podSpec = { ...(spec as object), serviceAccountName: 'default' };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, namespace }, spec: podSpec };
}

/** The Deployment of the chart, of which no pod runs. */
async function installedOperator(values: Values): Promise<KubernetesObject> {
  const manifests = await renderChart(await helm((line) => console.info(line)), values);
  const deployment = manifests.find(({ kind }) => kind === 'Deployment') as KubernetesObject;
  const { namespace = '' } = deployment.metadata;
  await bed
    .api()
    .create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, NEVER);
  return await bed.api().create(DEPLOYMENTS, deployment, NEVER);
}

async function mayView(user: string, namespace: string): Promise<void> {
  const name = { name: 'view', namespace };
  const apiGroup = 'rbac.authorization.k8s.io';
  const role = { apiVersion: `${apiGroup}/v1`, kind: 'Role', metadata: name, rules: VIEWED };
  const roleBinding = {
    ...{ apiVersion: `${apiGroup}/v1`, kind: 'RoleBinding', metadata: name },
    roleRef: { apiGroup, kind: 'Role', name: 'view' },
    subjects: [{ apiGroup, kind: 'User', name: user }],
  };
  await bed.api().create(rbac('Role', 'roles'), role, NEVER);
  await bed.api().create(rbac('RoleBinding', 'rolebindings'), roleBinding, NEVER);
}

const levels = (findings: readonly DiagnosedFinding[]) =>
  Object.fromEntries(findings.map(({ check, level }) => [check, level]));

describe('on a real API server', () => {
  test('an administrator sees what is there and what is not', async () => {
    const { namespace, stores } = await billing();
    const { findings, stores: looked } = await asAdministrator({ namespace });
    expect(looked).toEqual([`documents.${stores}`]);
    expect(levels(findings)).toMatchObject({
      ...{ namespace: 'ok', store: 'ok', callers: 'ok' },
      ...{
        operator: 'problem',
        pods: 'problem',
        certificates: 'problem',
        status: 'problem',
        policy: 'problem',
      },
    });
  });

  test('a developer with rights in the own namespace sees that, and which rights are missing for the rest', async () => {
    const { namespace, stores } = await billing();
    await mayView(DEVELOPER, namespace);
    const { findings, counts } = await diagnosed(await kubeconfigOf(DEVELOPER), { namespace });
    expect(levels(findings)).toMatchObject({
      ...{ namespace: 'ok', pods: 'problem', certificates: 'problem' },
      ...{ operator: 'unknown', webhook: 'unknown', policy: 'unknown', store: 'unknown' },
    });
    expect(counts.unknown).toBe(4);
    const messages = findings.map(({ message }) => message);
    expect(messages).toContain(
      `not read: you have no right to get largepayloadstores in the namespace ${stores}`,
    );
    expect(messages).toContain('not read: you have no right to list deployments of the cluster');
  });

  test.runIf(HAS_POLICIES)(
    'where the API server injects by the policy of a store, pods are as the operator of the chart has them',
    async () => {
      const { namespace, stores } = await billing();
      const operator = await installedOperator({ injection: { mode: 'Policy' } });
      const { settings } = operatorFacts(operator);
      const documents = await bed
        .api()
        .get({ resource: LARGE_PAYLOAD_STORES, namespace: stores, name: 'documents' }, NEVER);
      const { spec } = readStore(documents as KubernetesObject);
      const all = { ...settings, failurePolicy: 'Fail', operatorNamespace: 'operators' } as const;
      for (const { resource, object } of policyObjects(
        { name: 'documents', namespace: stores, spec: spec as StoreSpec },
        all,
      ))
        await bed.api().apply(resource, object, { force: true }, NEVER);
      await bed.api().delete({ resource: PODS, namespace, name: 'worker-1' }, undefined, NEVER);
      // The API server knows the policy a moment later.
      await eventually('the API server injects', async () => {
        const made = await bed.api().create(PODS, worker(namespace), NEVER);
        if (sidecarOf(made) !== undefined) return true;
        await bed.api().delete({ resource: PODS, namespace, name: 'worker-1' }, undefined, NEVER);
        return false;
      });
      const { findings } = await asAdministrator({ namespace });
      expect(levels(findings)).toMatchObject({ store: 'ok', policy: 'ok', pods: 'ok' });
      const messages = findings.map(({ message }) => message);
      expect(messages).toContain('injection is on, by admission policies');
      expect(messages.join()).toContain('the API server injects by itself');
    },
  );

  test('a user without any right gets unknowns', async () => {
    const { namespace } = await billing();
    const { counts } = await diagnosed(await kubeconfigOf('stranger'), { namespace });
    expect(counts).toMatchObject({ ok: 0, warning: 0, problem: 0 });
    expect(counts.unknown).toBeGreaterThan(2);
  });

  test('of a namespace that is not there, nearly its name is found', async () => {
    const { namespace } = await billing();
    const { findings } = await asAdministrator({ namespace: `${namespace.slice(0, -1)}_` });
    const [first] = findings;
    expect(first).toMatchObject({ check: 'namespace', level: 'problem' });
    expect(first?.message).toContain(`did you mean "${namespace}"?`);
  });

  test('the API server takes the worker of docs/injection.md that does without a sidecar', async () => {
    const [manifest = ''] = blocksOf('docs/injection.md', 'yaml');
    const deployment = parse(manifest) as KubernetesObject;
    const namespace = await bed.newNamespace();
    const metadata = { ...deployment.metadata, namespace };
    await bed.api().create(DEPLOYMENTS, { ...deployment, metadata }, NEVER);
    const { spec, metadata: of } = (deployment.spec as { template: KubernetesObject }).template;
    // Nothing gives pods a service account here.
    const podSpec = { ...(spec as object), serviceAccountName: 'default' };
    const worker = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...of, name: 'worker', namespace },
      spec: podSpec,
    };
    await bed.api().create(PODS, worker, NEVER);
    const { findings } = await asAdministrator({
      namespace,
      store: { name: 'documents', namespace: 'orders' },
    });
    expect(findings).toContainEqual(expect.objectContaining({ check: 'token', level: 'ok' }));
  });

  test('a store that is not there is named, with those of its namespace', async () => {
    const { namespace, stores } = await billing();
    const { findings } = await asAdministrator({ namespace, store: { name: 'images', namespace: stores } });
    const finding = findings.find(({ check }) => check === 'store');
    expect(finding).toMatchObject({ level: 'problem' });
    expect(finding?.message).toContain(`; ${stores} has documents`);
  });
});

test('an API server that does not know the user, or does not answer, is an error that names it', async () => {
  const { kubeconfig, url } = bed.controlPlane();
  const text = await readFile(kubeconfig, 'utf8');
  const config = JSON.parse(text);
  config.users[0].user = { token: 'unknown' };
  await writeFile(`${kubeconfig}.token`, JSON.stringify(config));
  await expect(diagnosed(`${kubeconfig}.token`, { namespace: 'billing' })).rejects.toThrow(/Unauthorized/);
  await writeFile(`${kubeconfig}.closed`, text.replaceAll(url, 'https://127.0.0.1:9'));
  await expect(diagnosed(`${kubeconfig}.closed`, { namespace: 'billing' })).rejects.toThrow(
    /the API server at https:\/\/127\.0\.0\.1:9 cannot be asked: .*ECONNREFUSED.*kubectl cluster-info/,
  );
});
