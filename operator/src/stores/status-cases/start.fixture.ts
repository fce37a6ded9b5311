import type { ObservedDeployment } from '../observed.ts';
import {
  but,
  edited,
  MINUTE,
  NOW,
  PENDING,
  wellStore,
  withMountFailure,
  withReports,
} from '../situation.fixture.ts';
import { ON_S3 } from '../stores.fixture.ts';
import { type Case, failing, onVolume, startingGateway, WELL, withoutNewPod } from './case.fixture.ts';

const SECRET_MESSAGE = 'MountVolume.SetUp failed for volume "credentials" : secret "orders-s3" not found';
const ENDED = { reason: 'Error', exitCode: 2 };

/** As the scheduler leaves a pod that it has no node for. */
function unscheduled(message: string) {
  return { ...PENDING, node: undefined, scheduled: { status: 'False', reason: 'Unschedulable', message } };
}

export const START_CASES: readonly Case[] = [
  {
    when: 'the Secret does not exist',
    situation: withMountFailure(
      startingGateway({ ...PENDING, waiting: { reason: 'ContainerCreating', message: '' } }),
      'gateway',
      SECRET_MESSAGE,
    ),
    expected: { ...WELL, Ready: 'False SecretMissing', GatewayAvailable: 'False SecretMissing' },
  },
  {
    when: 'a volume is still attached to another node',
    situation: withMountFailure(
      startingGateway(PENDING, onVolume),
      'gateway',
      'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and cannot be attached to another.',
    ),
    expected: failing('MountFailed'),
  },
  {
    when: 'a busy node has not heard of the Secret yet',
    situation: withMountFailure(
      startingGateway(PENDING),
      'gateway',
      'MountVolume.SetUp failed for volume "credentials" : failed to sync secret cache: timed out waiting for the condition',
    ),
    expected: { ...WELL, Ready: 'False Starting', GatewayAvailable: 'False Starting' },
  },
  {
    when: 'the claim does not exist',
    situation: startingGateway(
      {
        ...PENDING,
        scheduled: {
          status: 'False',
          reason: 'Unschedulable',
          message: '0/1 nodes are available: persistentvolumeclaim "payloads" not found. not found',
        },
      },
      onVolume,
    ),
    expected: failing('ClaimMissing'),
  },
  {
    when: 'the claim has no volume',
    situation: startingGateway(
      {
        ...PENDING,
        scheduled: {
          status: 'False',
          reason: 'Unschedulable',
          message:
            '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes',
        },
      },
      onVolume,
    ),
    expected: failing('ClaimUnbound'),
  },
  {
    when: 'the image cannot be pulled',
    situation: edited({
      ...PENDING,
      waiting: {
        reason: 'ImagePullBackOff',
        message:
          'Back-off pulling image "registry.example/payload-store:0.1.0": ErrImagePull: failed to resolve reference: 401 Unauthorized',
      },
    }),
    expected: { ...WELL, Ready: 'False ImagePullFailed' },
  },
  {
    when: 'no node has room',
    situation: edited(
      unscheduled(
        '0/3 nodes are available: 3 Insufficient memory. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.',
      ),
    ),
    expected: { ...WELL, Ready: 'False Unschedulable' },
  },
  {
    when: 'pods have to tolerate what the nodes are tainted with',
    situation: edited(
      unscheduled(
        '0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: gpu}. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
      ),
    ),
    expected: { ...WELL, Ready: 'False Unschedulable' },
  },
  {
    when: 'the container cannot be started',
    situation: edited({
      ...PENDING,
      waiting: {
        reason: 'CreateContainerConfigError',
        message: 'container has runAsNonRoot and image will run as root',
      },
    }),
    expected: { ...WELL, Ready: 'False ContainerRefused' },
  },
  {
    when: 'new pods end by an error',
    situation: edited({
      ready: false,
      runningSince: undefined,
      restarts: 4,
      waiting: { reason: 'CrashLoopBackOff', message: 'back-off 1m20s restarting failed container' },
      ended: {
        ...ENDED,
        message:
          '{"level":30,"msg":"begun"}\npayload-store: cannot listen on :::8577: the port is in use;\n  choose another\n',
      },
    }),
    expected: { ...WELL, Ready: 'False Crashing' },
  },
  {
    when: 'pods need more memory than they have',
    situation: startingGateway({ restarts: 1, ended: { reason: 'OOMKilled', message: '', exitCode: 137 } }),
    expected: { ...WELL, Ready: 'False OutOfMemory', GatewayAvailable: 'False OutOfMemory' },
  },
  {
    when: 'a pod does not start, and nobody says why',
    situation: edited({
      ...PENDING,
      createdAt: NOW - 3 * MINUTE,
      waiting: { reason: 'ContainerCreating', message: '' },
    }),
    expected: { ...WELL, Ready: 'False NotStarting' },
  },
  {
    when: 'the rollout makes no progress',
    situation: withoutNewPod(
      edited({}, { progressing: { status: 'False', reason: 'ProgressDeadlineExceeded', message: '' } }),
    ),
    expected: { ...WELL, Ready: 'False RolloutStalled' },
  },
  {
    when: 'somebody paused the Deployment before an edit',
    situation: withoutNewPod(
      edited({}, { progressing: { status: 'Unknown', reason: 'DeploymentPaused', message: '' } }),
    ),
    expected: { ...WELL, Ready: 'False RolloutStalled' },
  },
  {
    when: 'more gateway pods are asked for than the cluster has room for',
    situation: but(wellStore({ ...ON_S3, gateway: { ...ON_S3.gateway, replicas: 3 } }), {
      gateway: {
        ...(wellStore({ ...ON_S3, gateway: { ...ON_S3.gateway, replicas: 3 } }).observed
          .gateway as ObservedDeployment),
        ...{ available: 2, ready: 2 },
      },
      pods: wellStore({ ...ON_S3, gateway: { ...ON_S3.gateway, replicas: 3 } }).observed.pods.map((pod) =>
        pod.name === 'orders-gateway-3'
          ? {
              ...pod,
              ...PENDING,
              scheduled: {
                status: 'False',
                reason: 'Unschedulable',
                message: '0/1 nodes are available: 1 Insufficient cpu.',
              },
            }
          : pod,
      ),
    }),
    expected: { ...WELL, Ready: 'True FewerPods' },
  },
  {
    when: 'a gateway has just begun to run, and does not answer yet',
    situation: withReports(startingGateway({ runningSince: NOW - MINUTE / 2 }), 'gateway', {
      unreachable: 'connect ECONNREFUSED 10.0.0.1:8578',
    }),
    expected: { ...WELL, Ready: 'False Starting', GatewayAvailable: 'False Starting' },
  },
  {
    when: 'a Secret that a webhook mounts does not exist',
    situation: withMountFailure(
      startingGateway(PENDING),
      'gateway',
      'MountVolume.SetUp failed for volume "mesh" : secret "mesh-root" not found',
    ),
    expected: { ...WELL, Ready: 'False MountFailed', GatewayAvailable: 'False MountFailed' },
  },
  {
    when: 'a gateway that runs neither becomes ready nor answers',
    situation: withReports(startingGateway({ runningSince: NOW - 2 * MINUTE }), 'gateway', {
      unreachable: 'connect ETIMEDOUT 10.0.0.1:8578',
    }),
    expected: { ...WELL, Ready: 'False PodUnreachable', GatewayAvailable: 'False PodUnreachable' },
  },
];
