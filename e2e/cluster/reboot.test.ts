import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterEach, expect, test } from 'vitest';
import { chosenProvider, clusterDown, clusterUp } from './clusters.ts';
import { Footprint } from './footprint.ts';
import { IMAGE, loadBusybox } from './pods.fixture.ts';
import type { Cluster } from './provider.ts';

const NAME = 'self-test';
const isLocal = (await chosenProvider()).name === 'local';

afterEach(() => clusterDown(NAME), 60_000);

test.runIf(isLocal)(
  'the pods of a node are the same, and run again with their sidecars, when the node loses its power and starts again',
  { timeout: 400_000 },
  async () => {
    const cluster = await clusterUp({ name: NAME, nodes: 2 });
    await expect(cluster.rebootNode('node2')).rejects.toThrow('has no node node2');
    await loadBusybox(cluster);
    await cluster.apply(...cluster.nodeNames.flatMap((node) => [1, 2].map((number) => pod(node, number))));
    await cluster.kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');

    // The first node has the control plane too.
    for (const node of cluster.nodeNames.toReversed()) {
      const before = await podsOf(cluster);
      await cluster.rebootNode(node);
      const restarted = before.map((each) =>
        each.node === node ? { ...each, restarts: each.restarts.map((count) => count + 1) } : each,
      );
      const after = await eventualValue(async () => {
        const pods = await podsOf(cluster).catch(() => []);
        const done = restarted.every(({ restarts }, index) => hasRestarted(pods[index], restarts));
        return done ? pods : undefined;
      }, 150_000);
      expect(after).toEqual(restarted);
    }
    const [near = '', far = ''] = ['node0-1', 'node1-1'];
    const address = await cluster.kubectl('get', 'pod', far, '--output=jsonpath={.status.podIP}');
    const ask = [
      'exec',
      near,
      '--container=main',
      '--',
      'busybox',
      'wget',
      '-q',
      '-O-',
      `http://${address}:8080/`,
    ];
    expect(await cluster.kubectl(...ask)).toBe('hello\n');

    const footprint = new Footprint(NAME);
    await clusterDown(NAME);
    expect(footprint.remains()).toEqual([]);
  },
);

interface SeenPod {
  readonly uid: string;
  readonly node: string;
  readonly ready: boolean;
  /** of the sidecar and of the main container */
  readonly restarts: readonly number[];
}

function hasRestarted(pod: SeenPod | undefined, restarts: readonly number[]): boolean {
  return pod?.ready === true && restarts.every((count, index) => (pod.restarts[index] ?? 0) >= count);
}

async function podsOf(cluster: Cluster): Promise<SeenPod[]> {
  const { items } = JSON.parse(await cluster.kubectl('get', 'pods', '--output=json')) as PodList;
  return items.map(({ metadata, spec, status }) => ({
    uid: metadata.uid,
    node: spec.nodeName,
    ready: status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    restarts: [...status.initContainerStatuses, ...status.containerStatuses].map(
      ({ restartCount }) => restartCount,
    ),
  }));
}

/** A web server on this node, with a native sidecar. */
function pod(node: string, number: number): object {
  const serve = 'mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 8080 -h /www';
  const container = (name: string, script: string) => ({
    ...{ name, image: IMAGE, imagePullPolicy: 'Never', command: ['sh', '-c', script] },
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${node}-${number}`, namespace: 'default' },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 1,
      initContainers: [{ ...container('sidecar', 'exec sleep 1000000'), restartPolicy: 'Always' }],
      containers: [container('main', serve)],
    },
  };
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly uid: string };
    readonly spec: { readonly nodeName: string };
    readonly status: {
      readonly conditions: readonly { readonly type: string; readonly status: string }[];
      readonly initContainerStatuses: readonly { readonly restartCount: number }[];
      readonly containerStatuses: readonly { readonly restartCount: number }[];
    };
  }[];
}
