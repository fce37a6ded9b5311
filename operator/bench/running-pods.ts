import { createServer, type Server } from 'node:http';
import { at, countAt, listAt, textAt } from '@largepayload/crds';
import type { KubernetesApi, KubernetesObject } from '../src/kubernetes/api.ts';
import { DEPLOYMENTS, PODS } from '../src/kubernetes/resources.ts';
import { COMPONENT_LABEL, MANAGED_BY, STORE_LABEL } from '../src/stores/labels.ts';
import { METRICS_PORT } from '../src/stores/names.ts';

const PAGE = 250;
const AT_A_TIME = 8;
/** For so long the service holds a poll that knows its revision. */
const HOLD_MS = 600_000;
const NEVER = new AbortController().signal;

/**
 * What controllers and nodes would make of the operator's Deployments: their status, and pods that run. The pods are on
 * addresses of loopback, and one server answers for all of them, as well ones.
 */
export class RunningPods implements AsyncDisposable {
  readonly #api: KubernetesApi;
  /** by address */
  readonly #reports = new Map<string, object>();
  readonly #server: Server;

  private constructor(api: KubernetesApi) {
    this.#api = api;
    this.#server = createServer(({ socket, url }, response) => {
      const report = JSON.stringify(this.#reports.get(socket.localAddress ?? ''));
      response.writeHead(report === undefined ? 404 : 200);
      if (!url?.includes('since=')) return response.end(report);
      response.write(' ');
      const timer = setTimeout(() => response.end(report), HOLD_MS);
      return response.on('close', () => clearTimeout(timer));
    }).on('connection', (socket) => {
      if (!socket.remoteAddress?.startsWith('127.')) socket.destroy();
    });
  }

  /** Resolves when there is a pod for every replica of every Deployment. */
  static async start(api: KubernetesApi): Promise<RunningPods> {
    const pods = new RunningPods(api);
    await new Promise<void>((resolve, reject) => {
      pods.#server.once('error', reject).listen(METRICS_PORT, '0.0.0.0', resolve);
    });
    const selection = { resource: DEPLOYMENTS, labelSelector: `app.kubernetes.io/managed-by=${MANAGED_BY}` };
    for (let from: string | undefined, isFirst = true; isFirst || from !== undefined; isFirst = false) {
      const page = await api.list(selection, { limit: PAGE, continue: from }, NEVER);
      const queue = page.items.values();
      const work = async () => {
        for (const deployment of queue) await pods.#roll(deployment);
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, work));
      from = page.continue;
    }
    return pods;
  }

  get size(): number {
    return this.#reports.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #roll(deployment: KubernetesObject): Promise<void> {
    const { metadata, spec } = deployment;
    const replicas = countAt(spec, 'replicas');
    for (let index = 0; index < replicas; index += 1) await this.#run(deployment, index);
    const counts = {
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
    };
    const status = {
      ...{ observedGeneration: metadata.generation, ...counts },
      conditions: [
        condition('Available', 'MinimumReplicasAvailable'),
        condition('Progressing', 'NewReplicaSetAvailable'),
      ],
    };
    await this.#writeStatus(deployment, status);
  }

  async #run({ metadata, spec }: KubernetesObject, index: number): Promise<void> {
    const { namespace = '' } = metadata;
    const template = at(spec, 'template') as Pick<KubernetesObject, 'metadata' | 'spec'>;
    const replicaSet = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: metadata.name, uid: metadata.uid };
    const pod = await this.#api.create(
      PODS,
      {
        ...{ apiVersion: 'v1', kind: 'Pod' },
        metadata: {
          ...template.metadata,
          ...{ namespace, name: `${metadata.name}-${index}` },
          ownerReferences: [{ ...replicaSet, uid: metadata.uid ?? '', controller: true }],
        },
        spec: { ...(template.spec as object), nodeName: 'node0' },
      },
      NEVER,
    );
    const podIP = this.#nextAddress();
    this.#reports.set(podIP, reportOf(pod));
    const state = { running: { startedAt: pod.metadata.creationTimestamp } };
    const [container] = listAt(template.spec, 'containers');
    const name = textAt(container, 'name');
    const image = textAt(container, 'image');
    await this.#writeStatus(pod, {
      ...{ phase: 'Running', podIP, podIPs: [{ ip: podIP }] },
      conditions: [condition('PodScheduled', ''), condition('Ready', '')],
      containerStatuses: [{ name, image, imageID: '', ready: true, restartCount: 0, state }],
    });
  }

  #nextAddress(): string {
    const index = this.#reports.size;
    return `127.20.${Math.floor(index / 250)}.${(index % 250) + 1}`;
  }

  async #writeStatus({ apiVersion, kind, metadata }: KubernetesObject, status: object): Promise<void> {
    const { namespace = '', name } = metadata;
    const object = { apiVersion, kind, metadata: { namespace, name }, status };
    await this.#api.applyStatus(kind === 'Pod' ? PODS : DEPLOYMENTS, object, NEVER);
  }
}

function condition(type: string, reason: string): object {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    type,
    status: 'True',
    reason,
    message: '',
    lastTransitionTime: now,
    ...(type === 'Progressing' && { lastUpdateTime: now }),
  };
}

/** As the status report of a pod that is well. */
function reportOf({ metadata }: KubernetesObject): object {
  const { namespace, labels = {} } = metadata;
  const store = { namespace, name: labels[STORE_LABEL] };
  const isReaper = labels[COMPONENT_LABEL] === 'reaper';
  return {
    ...{ store, role: labels[COMPONENT_LABEL], version: '0.1.0', storage: 's3' },
    ...{ storageID: `${namespace}/${store.name}/0b54cbd3-7a86-4f0c-9c1c-6c6bc9c7a8a3`, ready: true },
    reaper: isReaper ? { lastCompletedTime: new Date().toISOString() } : null,
    revision: 'A9hqKx0Yb2mYQd1rV4k2bQ',
  };
}
