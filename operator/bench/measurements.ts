import { setTimeout as sleep } from 'node:timers/promises';
import type { Bed } from './bed.ts';
import type { OperatorProcess } from './operator-process.ts';

const EDITS = 50;
/** ms between two edits, in which the first is over */
const BETWEEN_EDITS = 150;
const LIMIT = 300_000;
/** ms in which what a start has left to do is done, and memory is given back */
const CALM = 30_000;

export interface Idle {
  /** MiB */
  readonly memory: number;
  /** thousandths of a core */
  readonly millicores: number;
  /** as the operator counts them */
  readonly requestsPerSecond: number;
  /** as the API server counts them */
  readonly auditedPerSecond: number;
}

/** What it costs while nothing happens. */
export async function idle({ auditLog }: Bed, operator: OperatorProcess, seconds: number): Promise<Idle> {
  await sleep(CALM);
  await auditLog.count();
  const before = { ...(await operator.counters()), cpu: operator.cpuSeconds };
  await sleep(seconds * 1_000);
  const cpu = operator.cpuSeconds - before.cpu;
  const audited = await auditLog.count();
  const { requests } = await operator.counters();
  return {
    memory: operator.memory('VmRSS'),
    millicores: (cpu / seconds) * 1_000,
    requestsPerSecond: (requests - before.requests) / seconds,
    auditedPerSecond: audited / seconds,
  };
}

export interface Start {
  /** s from the start of the process until everything was as desired, and known to be */
  readonly seconds: number;
  readonly requestsPerStore: number;
  /** as the API server counts them */
  readonly auditedPerStore: number;
  /** s of processor time of the operator */
  readonly cpuSeconds: number;
  /** the same of API server and etcd */
  readonly serverCpuSeconds: number;
  /** MiB, at most */
  readonly peakMemory: number;
}

/**
 * The start of the operator with stores that it has never seen, or has left as they should be.
 * @param until `ready` where there are pods
 */
export async function start(
  bed: Bed,
  until: 'settled' | 'ready' = 'settled',
): Promise<Start & { readonly operator: OperatorProcess }> {
  await bed.auditLog.count();
  const serverBefore = bed.serverCpuSeconds;
  const operator = await bed.startOperator();
  await bed.fleet[until](LIMIT);
  // The last events of what it has done itself may still be on their way.
  const { size } = bed.fleet;
  const end = performance.now() + LIMIT;
  let counters = await operator.counters();
  while (counters.reconciles < size || counters.queued > 0) {
    if (performance.now() > end) throw new Error(`after ${LIMIT / 1_000} s: ${JSON.stringify(counters)}`);
    await sleep(100);
    counters = await operator.counters();
  }
  return {
    operator,
    seconds: (performance.now() - operator.started) / 1_000,
    requestsPerStore: counters.requests / size,
    auditedPerStore: (await bed.auditLog.count()) / size,
    cpuSeconds: operator.cpuSeconds,
    serverCpuSeconds: bed.serverCpuSeconds - serverBefore,
    peakMemory: operator.memory('VmHWM'),
  };
}

/** ms from edits of stores to their changed Deployments, the shortest first */
export async function edits({ fleet }: Bed): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < EDITS; index++) {
    times.push(await fleet.edit(index % fleet.size, `${100 + index}Mi`));
    await sleep(BETWEEN_EDITS);
  }
  return times.sort((one, other) => one - other);
}

/** The smallest value that a share of them do not exceed. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}
