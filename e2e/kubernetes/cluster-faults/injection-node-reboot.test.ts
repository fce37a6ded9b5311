import { INJECT_LABEL } from '@largepayload/operator/injection/names';
import { expect, test } from 'vitest';
import { rounds } from '../../rounds.fixture.ts';
import { slowly } from '../faults/slowly.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { PodApi } from '../injection/pod-api.fixture.ts';
import {
  gateway,
  hasStarted,
  podsOf,
  storeThrough,
  untilInjecting,
} from '../injection/worker-bed.fixture.ts';
import { isInjected, type Pod, Workers } from '../injection/worker-pod.fixture.ts';

const REBOOTS = rounds.length > 1 ? 20 : 1;
const WORKERS = 10;
/** of the workers: deleted with each reboot, so that new pods are made while the node is away */
const DELETED = 3;
/** ms: twenty containers start at a time */
const LIMIT = 300_000;

const cluster = await suiteCluster();
const node = cluster.nodeNames.at(-1) ?? '';

test.skipIf(!cluster.rebootsNodes)(
  `every one of ${WORKERS} workers is injected and stores after each of ${REBOOTS} reboots of their node`,
  { timeout: 120_000 + REBOOTS * LIMIT },
  async () => {
    await using bed = await StoreBed.make('reboot', { [INJECT_LABEL]: 'orders' });
    await using api = await PodApi.start(cluster);
    const workers = new Workers(cluster);
    await bed.applyStore('orders', { gateway });
    await Promise.all([bed.untilReady('orders'), untilInjecting(api, bed)]);
    const nodeSelector = { 'kubernetes.io/hostname': node };
    await bed.apply(workers.controller('Deployment', 'worker', { replicas: WORKERS }, { nodeSelector }));
    let pods = await allStarted(bed, []);
    const took: number[] = [];
    for (let reboot = 0; reboot < REBOOTS; reboot += 1) {
      const began = performance.now();
      const deleted = pods.slice(0, DELETED);
      const rebooting = cluster.rebootNode(node);
      rebooting.catch(() => {});
      await bed.kubectl('delete', 'pods', '--wait=false', ...deleted.map(({ metadata }) => metadata.name));
      await rebooting;
      pods = await allStarted(bed, pods);
      took.push((performance.now() - began) / 1_000);
      expect(pods.filter(isInjected)).toHaveLength(WORKERS);
      await Promise.all(pods.map(storeThrough));
    }
    show(
      `node with ${WORKERS} workers rebooted, ${REBOOTS} times`,
      `kubelet, containerd and all containers killed, ${DELETED} pods replaced meanwhile: each of ${WORKERS} is injected and ` +
        `stores, after ${Math.max(...took).toFixed(0)} s at most`,
    );
  },
);

/**
 * Waits until all workers run: the kubelet's status of before a reboot is older than the containers, so pods that stay have to have
 * new ones.
 */
async function allStarted(bed: StoreBed, before: readonly Pod[]): Promise<Pod[]> {
  const old = new Set(before.flatMap(containerIds));
  return await slowly(async () => {
    const pods = await podsOf(bed, 'app=worker');
    const isNew = (pod: Pod) => hasStarted(pod) && !containerIds(pod).some((id) => old.has(id));
    return pods.length === WORKERS && pods.every(isNew) ? pods : undefined;
  }, LIMIT);
}

const containerIds = ({ status }: Pod): string[] =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].flatMap(
    ({ containerID }) => containerID ?? [],
  );
