import { setTimeout as sleep } from 'node:timers/promises';
import { INJECT_LABEL, SIDECAR_CONTAINER } from '@largepayload/operator/injection/names';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { podsOf } from '../faults/pods.fixture.ts';
import { signalInContainer } from '../fixtures/container-process.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { CodecTraffic, RETRIED_FOR } from '../fixtures/traffic.fixture.ts';
import { PodApi } from '../injection/pod-api.fixture.ts';
import { relayUrl, untilInjecting, untilStarted } from '../injection/worker-bed.fixture.ts';
import { Workers } from '../injection/worker-pod.fixture.ts';

const gateway = { authentication: undefined, credentialsSecretRef: { name: CREDENTIALS }, replicas: 2 };
/** ms */
const AWAY = 60_000;
const CONTAINERS = ['payload-store', SIDECAR_CONTAINER];
const PROGRAM = '/app/payload-store.mjs';
const DEPLOYMENT = 'deployment/orders-gateway';

test('a worker stores on through its injected sidecar while gateways are replaced, silent, killed and away for a minute, and when the sidecar is killed', {
  timeout: 900_000,
}, async () => {
  await using bed = await StoreBed.make('away', { [INJECT_LABEL]: 'orders' });
  await using api = await PodApi.start(bed.cluster);
  await bed.applyStore('orders', { gateway });
  await bed.until('orders', 'GatewayAvailable', { message: /^2 of 2/ });
  await untilInjecting(api, bed);
  await bed.apply(new Workers(bed.cluster).pod('worker'));
  const codec = new CodecTraffic(relayUrl(await untilStarted(bed, 'worker')), RETRIED_FOR);
  await using traffic = codec.traffic;
  const progress = async () => {
    const before = traffic.done;
    await eventualValue(() => traffic.done > before + 20 || undefined, 180_000);
  };
  await progress();

  await bed.kubectl('rollout', 'restart', DEPLOYMENT);
  await bed.kubectl('rollout', 'status', DEPLOYMENT, '--timeout=120s');
  await progress();
  const rolled = traffic.done;

  // Its kernel still takes connections and bytes, and nothing answers.
  const [silent] = await podsOf(bed, 'orders');
  signalInContainer(await containerOf(bed, silent?.name ?? ''), PROGRAM, 'SIGSTOP');
  await progress();
  await bed.until('orders', 'GatewayAvailable', { message: /^1 of 2/ });
  await progress();
  await bed.kubectl('delete', 'pod', silent?.name ?? '', '--grace-period=0', '--force');
  await bed.until('orders', 'GatewayAvailable', { message: /^2 of 2/ });
  const blackHoled = traffic.done;

  const [victim] = await podsOf(bed, 'orders');
  await bed.kubectl('delete', 'pod', victim?.name ?? '', '--grace-period=0', '--force');
  await progress();
  await bed.until('orders', 'GatewayAvailable', { message: /^2 of 2/ });
  const killed = traffic.done;

  signalInContainer(await containerOf(bed, 'worker'), PROGRAM, 'SIGKILL');
  await progress();
  const restarted = traffic.done;

  await allowPods(bed, 0);
  const pods = (await podsOf(bed, 'orders')).map(({ name }) => name);
  await bed.kubectl('delete', 'pods', ...pods, '--grace-period=0', '--force');
  await sleep(AWAY);
  expect(await podsOf(bed, 'orders')).toEqual([]);
  const whileAway = traffic.done - restarted;
  await allowPods(bed, 20);
  const back = performance.now();
  // Kubernetes itself tries again after minutes only.
  await bed.kubectl('rollout', 'restart', DEPLOYMENT);
  await bed.until('orders', 'GatewayAvailable', { message: /^2 of 2/ });
  await progress();
  const seconds = ((performance.now() - back) / 1_000).toFixed(0);
  await traffic.stop();

  expect(traffic.failures).toEqual([]);
  const kept = await codec.fetchAll();
  expect(kept).toBe(traffic.done);
  show(
    'gateways replaced, one silent, one killed, the sidecar killed, all gateways away',
    `${rolled}, ${blackHoled - rolled}, ${killed - blackHoled}, ${restarted - killed} and ${kept - restarted} payloads (${whileAway} of ` +
      `them while the pods ended), none failed and none lost; stored again ${seconds} s after pods were allowed`,
  );
});

/** The id of the container of our program in the container runtime: a gateway's only one, the sidecar of a worker's pod. */
async function containerOf(bed: StoreBed, pod: string): Promise<string> {
  const { status } = await bed.json<Pod>('get', 'pod', pod);
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return containers.find(({ name }) => CONTAINERS.includes(name))?.containerID?.split('//')[1] ?? '';
}

interface Pod {
  readonly status: {
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly containerID?: string;
}

/** Limits the pods of the namespace. Those that exist stay. */
async function allowPods(bed: StoreBed, pods: number): Promise<void> {
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'pods' } };
  await bed.apply({ ...quota, spec: { hard: { pods: String(pods) } } });
}
