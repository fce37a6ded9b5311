import { GROUP } from '@largepayload/crds';
import {
  type Finding,
  firstFinding,
  no,
  type Predicate,
  unknown,
  type Verdict,
  yes,
} from '../conditions/finding.ts';
import { quote } from '../conditions/quote.ts';
import type { NamedWorker, ObservedWorkers, WorkerSituation } from './observed-workers.ts';

/** Whether each worker pod that should have a sidecar of the store has the one that would be injected now. */
export function injectionCurrent({ store, workers, problem }: WorkerSituation): Verdict {
  if (workers === 'off') return OFF;
  if (problem !== undefined) return no(notReady(problem));
  const finding = firstFinding([notHealed, missed, outdated], workers);
  if (finding !== undefined) return no(finding);
  if (workers.injected > 0)
    return yes('AllInjected', `${pods(workers.injected)} with a sidecar that is up to date`);
  const begin = `kubectl label namespace ${store.namespace} ${GROUP}/inject=${store.name}`;
  return yes('NoPods', `no pod should have a sidecar of the store; to begin: ${begin}`);
}

const OFF = unknown({
  reason: 'InjectionOff',
  message:
    'the operator was installed without injection (injection.enabled: false), so worker pods are not watched',
});

function notReady(problem: string): Finding {
  return { reason: 'InjectionNotReady', message: `new pods get no sidecar: ${quote(problem)}` };
}

const notHealed: Predicate<ObservedWorkers> = (workers) => {
  if (workers.notHealed.length === 0) return undefined;
  return {
    reason: 'EvictionDidNotHelp',
    message: `${pods(workers.missed)} without a sidecar of the store; pods were evicted, and those in their place were missed again, so their owners are left alone until the pod template or the label changes: ${named(workers.notHealed)}`,
  };
};

const missed: Predicate<ObservedWorkers> = ({ missed: count, missedPods }) => {
  if (count === 0) return undefined;
  return {
    reason: 'PodsMissed',
    message: `${pods(count)} without a sidecar of the store: ${named(missedPods, count)}`,
  };
};

const outdated: Predicate<ObservedWorkers> = ({ outdated: count, outdatedPods }) => {
  if (count === 0) return undefined;
  return {
    reason: 'PodsOutdated',
    message: `${pods(count)} with a sidecar that works, and is not the one that would be injected now: ${named(outdatedPods, count)}`,
  };
};

function named(workers: readonly NamedWorker[], all = workers.length): string {
  const each = workers.map(
    ({ namespace, name, why, heal }) => `${namespace}/${name} (${quote(why)}; ${heal})`,
  );
  const rest = all - workers.length;
  return `${each.join(', ')}${rest > 0 ? `, and ${rest} more` : ''}`;
}

function pods(count: number): string {
  return count === 1 ? '1 pod' : `${count} pods`;
}
