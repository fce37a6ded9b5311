import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SIDECAR_CONTAINER } from '@largepayload/operator/injection/names';
import { blocksOf } from '@largepayload/testing/documents/markdown';
import { parse } from 'yaml';
import { slowly } from '../faults/slowly.fixture.ts';
import { IMAGE } from '../fixtures/names.fixture.ts';
import { repository } from '../fixtures/readme.fixture.ts';
import type { StoreBed } from '../fixtures/store.fixture.ts';

const EXAMPLE = readFileSync(join(repository, 'examples/kubernetes/pod-with-sidecar.yaml'), 'utf8');

export interface SidecarPodOptions {
  readonly name: string;
  /** the bed whose namespace the pod is in */
  readonly bed: StoreBed;
  readonly store: string;
  /** the namespace of the store; by default that of the pod */
  readonly storeNamespace?: string;
  /** arguments of the worker's `node`; by default it stores and fetches 5 MB of random bytes */
  readonly worker?: readonly string[];
  /** more arguments of the sidecar */
  readonly sidecar?: readonly string[];
}

interface Container {
  readonly args: string[];
}

interface Manifest extends Record<string, unknown> {
  readonly metadata: object;
  readonly spec: { readonly initContainers: [Container]; readonly containers: [Container] };
}

interface Pod {
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly initContainerStatuses?: Started[];
  };
}

interface Started {
  readonly started?: boolean;
}

/** Makes the pod of `examples/kubernetes/pod-with-sidecar.yaml`, with the names of a test in it. */
export async function applySidecarPod(options: SidecarPodOptions): Promise<void> {
  const { name, bed, store, storeNamespace = bed.namespace, worker, sidecar = [] } = options;
  const map = storeNamespace === bed.namespace ? `${store}-ca` : `${store}.${storeNamespace}-ca`;
  const text = EXAMPLE.replaceAll(IMAGE, bed.cluster.registryImage ?? IMAGE)
    .replaceAll('documents-gateway.orders', `${store}-gateway.${storeNamespace}`)
    .replaceAll('largepayload.dev/orders/documents', `largepayload.dev/${storeNamespace}/${store}`)
    .replaceAll('name: documents-ca', `name: ${map}`);
  const pod = parse(text) as Manifest;
  const [container] = pod.spec.containers;
  pod.spec.initContainers[0].args.push(...sidecar);
  if (worker !== undefined) container.args.splice(0, container.args.length, ...worker);
  await bed.apply({ ...pod, metadata: { name } });
}

/**
 * Stores 5 MB of random bytes and fetches them through a sidecar. @returns the output of the worker
 * @throws Error with the output of worker and sidecar
 */
export async function checkThroughSidecar(options: SidecarPodOptions): Promise<string> {
  const { name, bed } = options;
  await applySidecarPod(options);
  return await outputOf(bed, name, SIDECAR_CONTAINER);
}

const RESTRICTED = {
  ...{ runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  seccompProfile: { type: 'RuntimeDefault' },
};

/**
 * Stores 5 MB of random bytes and fetches them without a sidecar, by a pod as docs/injection.md has it, in another namespace than the
 * store's. @returns the output of the worker @throws Error with the output of the worker
 */
export async function checkWithoutSidecar(
  options: Required<Pick<SidecarPodOptions, 'name' | 'bed' | 'store' | 'storeNamespace'>>,
): Promise<string> {
  const { name, bed, store, storeNamespace } = options;
  const [documented = ''] = blocksOf('docs/injection.md', 'yaml');
  const text = documented
    .replaceAll('documents-gateway.orders', `${store}-gateway.${storeNamespace}`)
    .replaceAll('largepayload.dev/orders/documents', `largepayload.dev/${storeNamespace}/${store}`)
    .replaceAll('name: documents.orders-ca', `name: ${store}.${storeNamespace}-ca`);
  const { template } = parse(text).spec;
  const image = bed.cluster.registryImage ?? IMAGE;
  const args = ['/app/payload-store.mjs', 'check'];
  const containers = [{ ...template.spec.containers[0], image, args, securityContext: RESTRICTED }];
  const metadata = { name, labels: template.metadata.labels };
  const spec = { ...template.spec, containers, restartPolicy: 'Never' };
  await bed.apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
  return await outputOf(bed, name);
}

/** Waits for the end of the container `worker`. @param other a container whose output explains a failure */
async function outputOf(bed: StoreBed, name: string, other?: string): Promise<string> {
  const phase = await slowly(async () => {
    const { status } = await bed.json<Pod>('get', 'pod', name);
    return ['Succeeded', 'Failed'].includes(status.phase) ? status.phase : undefined;
  }, 120_000).catch(async (error: Error) => {
    throw new Error(`${error.message}\n${await bed.kubectl('describe', 'pod', name)}`);
  });
  const words = (await bed.kubectl('logs', name, '--container=worker')).trim();
  const more = other === undefined ? '' : await bed.kubectl('logs', name, `--container=${other}`);
  await bed.kubectl('delete', 'pod', name, '--wait=false');
  if (phase !== 'Succeeded') throw new Error(`the pod could not use the store: ${words}\n${more}`);
  return words;
}

/** A worker that does nothing, so that a test does its work from outside of the pod. */
const IDLE = ['-e', 'process.on("SIGTERM", process.exit); setTimeout(() => {}, 3_600_000)'];

/** Makes a pod whose sidecar the test can call. @returns the URL of the sidecar, once it listens */
export async function servingSidecar(
  options: Omit<SidecarPodOptions, 'worker' | 'sidecar'>,
): Promise<string> {
  const { name, bed } = options;
  await applySidecarPod({ ...options, worker: IDLE, sidecar: ['--listen', ':8577'] });
  return await slowly(async () => {
    const { status } = await bed.json<Pod>('get', 'pod', name);
    const isStarted = status.initContainerStatuses?.every(({ started }) => started === true);
    return isStarted && status.podIP !== undefined ? `http://${status.podIP}:8577` : undefined;
  }, 120_000);
}
