import { Program } from '@largepayload/testing/processes/program';
import type { Cluster } from '../../cluster/provider.ts';

/** One condition of a store's status. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export interface Wanted {
  readonly status?: string;
  readonly reason?: string;
  readonly message?: RegExp;
}

export interface WatchedStore {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly name: string;
}

interface Told extends Condition {
  readonly observedGeneration: number;
}

/**
 * Waits until a condition of the resource as it is now is as wanted. A dozen tests wait at a time: one process that watches
 * leaves the machine to the cluster, where one that asks again and again would not, and sees what lasts a moment only.
 * @throws Error that tells how it is instead
 */
export async function untilCondition(
  store: WatchedStore,
  type: string,
  wanted: Wanted,
  limitMs: number,
): Promise<Condition> {
  const end = performance.now() + limitMs;
  let last: Told | undefined;
  const look = (line: string) => {
    const [generation, conditions] = [Number.parseInt(line, 10), line.slice(line.indexOf(' '))];
    last = (JSON.parse(conditions.trim() || '[]') as readonly Told[]).find((each) => each.type === type);
    const isOfNow = last?.observedGeneration === generation;
    return last !== undefined && isOfNow && isWanted(last, wanted) ? last : undefined;
  };
  do {
    const seconds = Math.max(1, Math.ceil((end - performance.now()) / 1_000));
    // It ends with its time, or with the API server.
    const found = await watch(store, seconds, look).catch(() => undefined);
    if (found !== undefined) return found;
  } while (performance.now() < end);
  const is = JSON.stringify(last);
  throw new Error(`${store.name}: ${type} is ${is}, not ${JSON.stringify(wanted)} ${wanted.message ?? ''}`);
}

function isWanted(condition: Condition, { status, reason, message }: Wanted): boolean {
  return (
    (status ?? condition.status) === condition.status &&
    (reason ?? condition.reason) === condition.reason &&
    (message === undefined || message.test(condition.message))
  );
}

const OUTPUT = '--output=jsonpath={.metadata.generation} {.status.conditions}{"\\n"}';

/** @param look is given the store's generation and its conditions as JSON, at once and whenever they change */
async function watch(
  { cluster, namespace, name }: WatchedStore,
  seconds: number,
  look: (line: string) => Condition | undefined,
): Promise<Condition> {
  // Of a resource that is named, kubectl leaves out the change that comes between its `get` and its watch.
  const what = ['get', 'lps', `--field-selector=metadata.name=${name}`, '--watch', OUTPUT];
  const args = ['--namespace', namespace, `--request-timeout=${seconds}s`, ...what];
  const options = { name: 'kubectl', ...cluster.command('kubectl', args), env: cluster.environment };
  const { program, greeting } = await Program.start(options, look);
  await program.stop('SIGKILL');
  return greeting;
}
