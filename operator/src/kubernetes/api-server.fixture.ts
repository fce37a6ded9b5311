import { readFile, writeFile } from 'node:fs/promises';
import { crd } from '@largepayload/crds/crd';
import { type ControlPlane, startControlPlane } from '@largepayload/testing/cluster/control-plane';
import { type TcpProxy, tcpProxy } from '@largepayload/testing/servers/tcp-proxy';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll } from 'vitest';
import type { KubernetesApi, KubernetesObject, ResourceKind } from './api.ts';
import { connectToKubernetes } from './client-node-api.ts';
import { LARGE_PAYLOAD_STORES } from './resources.ts';

export const NEVER = new AbortController().signal;

const NAMESPACES: ResourceKind = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces' };
const CUSTOM_RESOURCE_DEFINITIONS: ResourceKind = {
  ...{ group: 'apiextensions.k8s.io', version: 'v1' },
  ...{ kind: 'CustomResourceDefinition', plural: 'customresourcedefinitions' },
};

/** A control plane for the tests of one file, with what they need of it. */
export function apiBed() {
  let plane: ControlPlane | undefined;
  beforeAll(async () => {
    plane = await startControlPlane({ say: (line) => console.info(line) });
  });
  afterAll(() => plane?.stop());
  const controlPlane = () => {
    if (plane === undefined) throw new Error('the control plane runs in tests only');
    return plane;
  };
  const api = () => connectToKubernetes({ kubeconfig: controlPlane().kubeconfig, version: 'test' });

  /** A client of its own network. */
  const apiBehindProxy = async (): Promise<{ api: KubernetesApi; proxy: TcpProxy }> => {
    const { kubeconfig, url } = controlPlane();
    const proxy = await tcpProxy(Number(new URL(url).port));
    const path = `${kubeconfig}.${proxy.port}`;
    const text = await readFile(kubeconfig, 'utf8');
    await writeFile(path, text.replaceAll(url, `https://127.0.0.1:${proxy.port}`));
    return { api: connectToKubernetes({ kubeconfig: path, version: 'test' }), proxy };
  };

  /** A namespace of its own for a test. */
  const newNamespace = async (): Promise<string> => {
    const name = `test-${crypto.randomUUID().slice(0, 8)}`;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await api().create(NAMESPACES, namespace, NEVER);
    return name;
  };
  return { controlPlane, api, apiBehindProxy, newNamespace };
}

/** Applies the CustomResourceDefinition and waits until it is served. */
export async function applyCrd(api: KubernetesApi): Promise<void> {
  await api.apply(CUSTOM_RESOURCE_DEFINITIONS, crd() as unknown as KubernetesObject, { force: true }, NEVER);
  const served = () => api.list({ resource: LARGE_PAYLOAD_STORES }, { limit: 1 }, NEVER);
  await eventually('the CustomResourceDefinition is served', () =>
    served().then(
      () => true,
      () => false,
    ),
  );
}

/** A store that the CustomResourceDefinition takes. */
export function store(namespace: string, name: string): KubernetesObject {
  return {
    ...{ apiVersion: 'largepayload.dev/v1alpha1', kind: 'LargePayloadStore' },
    metadata: { namespace, name },
    spec: { storage: { s3: { bucket: 'payloads', region: 'eu-central-1' } }, retention: { ttl: '30d' } },
  };
}
