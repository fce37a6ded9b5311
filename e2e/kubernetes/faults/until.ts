import { Program } from '../../testing/program.ts';
import type { Condition, StoreBed, Wanted } from '../testing/store-bed.ts';

const LIMIT = 120_000;

interface Told extends Condition {
  readonly observedGeneration: number;
}

/**
 * Waits until a condition of the resource as it is now is as wanted. A dozen tests of this folder wait at a time: one process that watches, where
 * `StoreBed.until` starts one to ask again and again, leaves the machine to the cluster, and sees what lasts a moment only.
 * @throws Error that tells how it is instead
 */
export async function until(
  bed: StoreBed,
  store: string,
  type: string,
  wanted: Wanted,
  limitMs = LIMIT,
): Promise<Condition> {
  const end = performance.now() + limitMs;
  let last: Told | undefined;
  const look = (line: string) => {
    const [generation, conditions] = [Number.parseInt(line, 10), line.slice(line.indexOf(' '))];
    last = (JSON.parse(conditions.trim() || '[]') as readonly Told[]).find((each) => each.type === type);
    const isOfNow = last?.observedGeneration === generation;
    return last !== undefined && isOfNow && isWanted(last, wanted) ? last : undefined;
  };
  for (;;) {
    const left = (end - performance.now()) / 1_000;
    if (left < 1) break;
    // It ends with its time, or with the API server.
    const found = await watch(bed, store, Math.ceil(left), look).catch(() => undefined);
    if (found !== undefined) return found;
  }
  const is = JSON.stringify(last);
  throw new Error(`${store}: ${type} is ${is}, not ${JSON.stringify(wanted)} ${wanted.message ?? ''}`);
}

export async function untilReady(bed: StoreBed, store: string, limitMs = LIMIT): Promise<void> {
  await until(bed, store, 'Ready', { status: 'True' }, limitMs);
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
  { cluster, namespace }: StoreBed,
  store: string,
  seconds: number,
  look: (line: string) => Condition | undefined,
): Promise<Condition> {
  const what = ['get', 'lps', store, '--watch', OUTPUT];
  const args = ['--namespace', namespace, `--request-timeout=${seconds}s`, ...what];
  const options = { name: 'kubectl', ...cluster.command('kubectl', args), env: cluster.environment };
  const { program, greeting } = await Program.start(options, look);
  await program.stop('SIGKILL');
  return greeting;
}
