import { INJECT_LABEL, SIDECAR_CONTAINER } from '@largepayload/operator/injection/names';
import { slowly } from '../faults/slowly.fixture.ts';
import { operatorKubectl } from '../fixtures/operator.fixture.ts';
import { putPayload, type StoredPayload, withClient } from '../fixtures/payloads.fixture.ts';
import { CREDENTIALS, type StoreBed } from '../fixtures/store.fixture.ts';
import { OPERATOR } from '../fixtures/suite.fixture.ts';
import type { PodApi } from './pod-api.fixture.ts';
import { isInjected, type Pod, RELAY_PORT, Workers } from './worker-pod.fixture.ts';

/** ms: a dozen tests share two cores with the cluster */
const LIMIT = 180_000;

/** One gateway that asks for tokens. */
export const gateway = {
  ...{ authentication: undefined, replicas: 1 },
  credentialsSecretRef: { name: CREDENTIALS },
};

/** Who injects: the operator's webhook, or the API server by the operator's policies. */
export async function injectionMode(): Promise<'Webhook' | 'Policy'> {
  const path = '--output=jsonpath={.spec.template.spec.containers[0].args}';
  const args = await operatorKubectl('get', 'deployment', OPERATOR, path);
  const [, mode] = /--injection=(Webhook|Policy)/.exec(args) ?? [];
  if (mode === undefined) throw new Error(`the operator injects nothing: ${args}`);
  return mode as 'Webhook' | 'Policy';
}

/**
 * Waits until new pods of the namespace get a sidecar: the operator learns of labels and stores by its watches, and the API server
 * of policies by its own. @throws Error with the last answer
 */
export async function untilInjecting(
  api: PodApi,
  bed: StoreBed,
  labels?: Record<string, string>,
): Promise<void> {
  const probe = new Workers(bed.cluster).pod('probe', labels && { labels });
  let last: unknown;
  await slowly(async () => {
    const { pod, ...rest } = await api.tryOut(bed.namespace, probe);
    last = rest;
    return pod !== undefined && isInjected(pod) ? true : undefined;
  }, LIMIT).catch((error: Error) => {
    throw new Error(`${bed.namespace}: new pods are not injected: ${JSON.stringify(last)}`, { cause: error });
  });
}

/** Labels the namespace as README does. @param store STORE, STORE.NAMESPACE or `false`; `undefined` removes the label */
export async function labelNamespace(bed: StoreBed, store: string | undefined): Promise<void> {
  const label = store === undefined ? `${INJECT_LABEL}-` : `${INJECT_LABEL}=${store}`;
  await bed.cluster.kubectl('label', 'namespace', bed.namespace, '--overwrite', label);
}

/** Pods that are not ending. */
export async function podsOf(bed: StoreBed, selector?: string): Promise<Pod[]> {
  const { items } = await bed.json<{ items: Pod[] }>(
    'get',
    'pods',
    ...(selector ? ['--selector', selector] : []),
  );
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Waits until sidecar and worker have started. @throws Error with what kubectl says of the pod */
export async function untilStarted(bed: StoreBed, name: string): Promise<Pod> {
  return await described(
    bed,
    name,
    slowly(async () => {
      const pod = await bed.json<Pod>('get', 'pod', name);
      return hasStarted(pod) ? pod : undefined;
    }, LIMIT),
  );
}

export function hasStarted({ status }: Pod): boolean {
  const worker = status?.containerStatuses?.find(({ name }) => name === 'worker');
  const sidecar = status?.initContainerStatuses?.find(({ name }) => name === SIDECAR_CONTAINER);
  const isUp = worker?.started === true && worker.ready && status?.podIP !== undefined;
  return isUp && sidecar?.started !== false;
}

/** Waits until the pod has ended. @returns its phase */
export async function untilEnded(bed: StoreBed, name: string): Promise<string> {
  return await described(
    bed,
    name,
    slowly(async () => {
      const { status } = await bed.json<Pod>('get', 'pod', name);
      return ['Succeeded', 'Failed'].includes(status?.phase ?? '') ? status?.phase : undefined;
    }, LIMIT),
  );
}

async function described<T>(bed: StoreBed, name: string, waiting: Promise<T>): Promise<T> {
  return await waiting.catch(async (error: Error) => {
    const words = await bed.kubectl('describe', 'pod', name).catch(({ message }: Error) => message);
    throw new Error(`${name}: ${error.message}\n${words}`, { cause: error });
  });
}

/** Where a worker that relays is reached. */
export const relayUrl = ({ status }: Pod) => `http://${status?.podIP}:${RELAY_PORT}`;

/** Stores a payload as the pod's worker would, and fetches it. Failures that pass are tried again, as workers do. */
export async function storeThrough(pod: Pod): Promise<StoredPayload> {
  let last: unknown;
  return await slowly(async () => {
    try {
      return await withClient(relayUrl(pod), async (client) => {
        const stored = await putPayload(client, 300_000);
        await client.get(stored);
        return stored;
      });
    } catch (error) {
      last = error;
      return undefined;
    }
  }, LIMIT).catch((error: Error) => {
    throw new Error(`${pod.metadata.name} cannot store: ${last}`, { cause: error });
  });
}

/** One attempt to store through the pod's worker. @returns the code of the error, undefined when it was stored */
export async function refusalThrough(pod: Pod): Promise<string | undefined> {
  return await withClient(relayUrl(pod), (client) => putPayload(client, 300_000)).then(
    () => undefined,
    (error: Error & { code?: string }) => error.code ?? error.message,
  );
}
