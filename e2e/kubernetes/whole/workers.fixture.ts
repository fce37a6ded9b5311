import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SIDECAR_CONTAINER } from '@largepayload/operator/injection/names';
import { parse } from 'yaml';
import { slowly } from '../faults/slowly.fixture.ts';
import { signalInContainer } from '../fixtures/container-process.fixture.ts';
import { EXAMPLE_IMAGE, GO_WORKER_IMAGE } from '../fixtures/names.fixture.ts';
import { repository } from '../fixtures/readme.fixture.ts';
import type { StoreBed } from '../fixtures/store.fixture.ts';

const EXAMPLE = readFileSync(join(repository, 'examples/kubernetes/worker.yaml'), 'utf8');

export interface WorkerPod {
  readonly name: string;
  readonly node: string;
  /** whether its first init container is the sidecar, which runs on */
  readonly isInjected: boolean;
  /** id of the worker's container in the runtime */
  readonly containerId: string;
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: {
    readonly nodeName: string;
    readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[];
  };
  readonly status: {
    readonly containerStatuses?: readonly { readonly containerID?: string; readonly ready: boolean }[];
  };
}

/** Deploys the example's worker, and the one in Go by the same manifest. Both have two pods. */
export async function deployWorkers(bed: StoreBed, temporalAddress: string): Promise<void> {
  const manifest = (name: string, image: string) =>
    parse(
      EXAMPLE.replaceAll('temporal:7233', temporalAddress)
        .replaceAll(EXAMPLE_IMAGE, image)
        .replaceAll('\n  name: worker', `\n  name: ${name}`)
        .replaceAll('app: worker', `app: ${name}`)
        .replace('namespace: orders', `namespace: ${bed.namespace}`)
        .replace('replicas: 1', 'replicas: 2')
        // The image of the other worker has no user.
        .replace('runAsNonRoot: true', 'runAsNonRoot: true\n        runAsUser: 65532'),
    );
  await bed.apply(manifest('worker', EXAMPLE_IMAGE), manifest('go-worker', GO_WORKER_IMAGE));
  for (const name of ['worker', 'go-worker'])
    await bed.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=110s');
}

/** The pods of a worker that are not ending. */
export async function workerPods(bed: StoreBed, worker: string): Promise<readonly WorkerPod[]> {
  const { items } = await bed.json<{ items: Pod[] }>('get', 'pods', `--selector=app=${worker}`);
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, spec, status }) => {
      const [first] = spec.initContainers ?? [];
      const isInjected = first?.name === SIDECAR_CONTAINER && first.restartPolicy === 'Always';
      const containerId = status.containerStatuses?.[0]?.containerID?.split('//')[1] ?? '';
      return { name: metadata.name, node: spec.nodeName, isInjected, containerId };
    });
}

/** Sends SIGKILL to the worker of a pod, whose kubelet starts it again. */
export async function killWorker(bed: StoreBed, { name, containerId }: WorkerPod): Promise<void> {
  signalInContainer(containerId, 'worker.ts', 'SIGKILL');
  await slowly(async () => {
    const path =
      '--output=jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}';
    return (await bed.kubectl('get', 'pod', name, path)) === '1 true' || undefined;
  });
}
