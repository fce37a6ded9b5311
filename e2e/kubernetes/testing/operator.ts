import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@largepayload/testing/waiting/eventual-value';
import { processes } from '../../cluster/local/processes.ts';
import { MetricsReading } from './metrics.ts';
import { repository } from './readme.ts';
import { OPERATOR, OPERATOR_NAMESPACE, suiteCluster } from './suite.ts';

export interface OperatorPod {
  readonly name: string;
  readonly ip: string;
  readonly node: string;
  /** as the container runtime names it */
  readonly containerId: string;
  readonly isReady: boolean;
  readonly restarts: number;
}

/** Those that run and are not being ended. */
export async function operatorPods(): Promise<OperatorPod[]> {
  const { items } = JSON.parse(
    await operatorKubectl('get', 'pods', '--selector=app.kubernetes.io/component=operator', '--output=json'),
  ) as { items: Pod[] };
  return items.flatMap(({ metadata, spec, status }) => {
    const [container] = status.containerStatuses ?? [];
    const containerId = container?.containerID?.split('//')[1];
    if (metadata.deletionTimestamp !== undefined || status.podIP === undefined) return [];
    if (container?.state.running === undefined || containerId === undefined) return [];
    const { ready: isReady, restartCount: restarts } = container;
    return [{ name: metadata.name, ip: status.podIP, node: spec.nodeName, containerId, isReady, restarts }];
  });
}

export async function operatorMetrics({ ip }: OperatorPod, limitMs?: number): Promise<MetricsReading> {
  return await MetricsReading.of(`${ip}:8080`, limitMs);
}

/** Those of the pods that say that they lead. */
export async function leadersAmong(pods: readonly OperatorPod[]): Promise<OperatorPod[]> {
  const isLeading = await Promise.all(
    pods.map(async (pod) => {
      // One that has gone answers nothing.
      const metrics = await operatorMetrics(pod, 1_000).catch(() => undefined);
      return metrics?.sum('large_payload_operator_leading') === 1;
    }),
  );
  return pods.filter((_, index) => isLeading[index]);
}

/** The one that leads, once there is one. */
export async function untilLeader(limitMs = 90_000): Promise<OperatorPod> {
  return await eventually(async () => (await leadersAmong(await operatorPods()))[0], limitMs);
}

/** SIGKILL to its process. */
export function killOperator({ name, containerId }: OperatorPod): void {
  const found = processes().find(
    ({ pid, args }) => args.includes('/app/operator.mjs') && isIn(pid, containerId),
  );
  if (found === undefined) throw new Error(`the process of ${name} is not one of this machine`);
  process.kill(found.pid, 'SIGKILL');
}

function isIn(pid: number, containerId: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(containerId);
  } catch {
    return false;
  }
}

/** Removes the pod at once, so that another takes its place without the pauses of a container that crashes. */
export async function removeOperatorPod(name: string): Promise<void> {
  await operatorKubectl('delete', 'pod', name, '--grace-period=0', '--force', '--ignore-not-found');
}

export async function scaleOperator(replicas: number): Promise<void> {
  await operatorKubectl('scale', `deployment/${OPERATOR}`, `--replicas=${replicas}`);
  if (replicas > 0) await untilRolledOut();
  else await eventually(async () => (await operatorPods()).length === 0 || undefined);
}

export async function untilRolledOut(): Promise<void> {
  await operatorKubectl('rollout', 'status', `deployment/${OPERATOR}`, '--timeout=100s');
}

/** `helm upgrade` with README's values and these. */
export async function upgradeOperator(...settings: readonly string[]): Promise<void> {
  const chart = join(repository, 'charts/large-payload-operator');
  const sets = settings.flatMap((setting) => ['--set', setting]);
  await operatorHelm('upgrade', OPERATOR, chart, '--reset-then-reuse-values', '--wait', ...sets);
}

export async function operatorHelm(...args: readonly string[]): Promise<string> {
  return await (await suiteCluster()).run('helm', ['--namespace', OPERATOR_NAMESPACE, ...args]);
}

export async function operatorKubectl(...args: readonly string[]): Promise<string> {
  return await (await suiteCluster()).kubectl('--namespace', OPERATOR_NAMESPACE, ...args);
}

/** A line of the operator's log. */
export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly store?: string;
}

/** What a pod of the operator has logged, since that moment if one is given. */
export async function operatorLog(name: string, since?: Date): Promise<LogLine[]> {
  const from = since === undefined ? [] : [`--since-time=${since.toISOString()}`];
  const text = await operatorKubectl('logs', name, ...from);
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName: string };
  readonly status: {
    readonly podIP?: string;
    readonly containerStatuses?: readonly {
      readonly containerID?: string;
      readonly ready: boolean;
      readonly restartCount: number;
      readonly state: { readonly running?: object };
    }[];
  };
}
