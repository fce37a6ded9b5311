import { listAt, textAt } from '@largepayload/crds';
import { judgePod, type PodVerdict } from '../../injection/judge-pod.ts';
import { SIDECAR_CONTAINER } from '../../injection/names.ts';
import { ownerOf, restartAdvice } from '../../injection/pod-owner.ts';
import { sidecarFor } from '../../injection/sidecar.ts';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { readStore } from '../../stores/read-store.ts';
import { type Finding, ok, problem, unknown, warning } from '../finding.ts';
import { operatorFacts } from '../operator-facts.ts';
import { storeOfPod } from '../pod-store.ts';
import { valueIn } from '../reading.ts';
import { type Situation, type StoreSituation, storeText } from '../situation.ts';
import { runningPods } from './running-pods.ts';
import { checkStore } from './store.ts';

/** Pods that a finding names. */
const NAMED = 3;

interface Judged {
  readonly pod: KubernetesObject;
  readonly verdict: PodVerdict;
}

/** Whether the pods that ask for a store have its sidecar: one finding for each reason why they have not. */
export function checkPods(store: StoreSituation, situation: Situation): readonly Finding[] {
  const { pods, namespace } = situation;
  if (pods.kind === 'unreadable') return [unknown(pods.why)];
  const judged = podsOf(store, situation).map((pod) => ({ pod, verdict: judge(pod, store, situation) }));
  // While the store does not admit the namespace, a new pod would be as the old one.
  const heals = checkStore(store, situation).every(({ level }) => level !== 'problem');
  const fix = (group: readonly Judged[]) => (heals ? restart(group, namespace) : undefined);
  const wrong = Map.groupBy(judged, ({ verdict }) => ('reason' in verdict ? verdict.reason : ''));
  const findings = [...wrong].flatMap(([reason, group]) =>
    reason === '' ? [] : [groupFinding(group, fix(group))],
  );
  if (valueIn(pods)?.complete === false) findings.push(unknown('there are more pods than are looked at'));
  if (findings.length > 0) return findings;
  const [text, pod] = [storeText(store), judged.length === 1 ? 'pod' : 'pods'];
  if (judged.length > 0) return [ok(`${judged.length} ${pod} with a sidecar and a token for ${text}`)];
  return [warning(`no pod that runs in ${namespace} asks for the store ${text}`)];
}

/** @param group pods with the same reason */
function groupFinding(group: readonly Judged[], fix: string | undefined): Finding {
  const [first] = group;
  const verdict = first?.verdict;
  const message = verdict !== undefined && 'message' in verdict ? verdict.message : '';
  const text = `${listed(group)}: ${message}`;
  switch (verdict?.kind) {
    case 'missed':
      return problem(text, fix);
    case 'outdated':
      return warning(text, fix);
    default:
      return warning(text);
  }
}

/** Whether the sidecars run, as the kubelet says. */
export function checkSidecars(store: StoreSituation, situation: Situation): readonly Finding[] {
  const waiting = podsOf(store, situation).flatMap((pod) => {
    const status = listAt(pod, 'status', 'initContainerStatuses').find(
      (each) => textAt(each, 'name') === SIDECAR_CONTAINER,
    );
    const reason = textAt(status, 'state', 'waiting', 'reason');
    if (reason === undefined || ['PodInitializing', 'ContainerCreating'].includes(reason)) return [];
    return [{ name: pod.metadata.name, why: textAt(status, 'state', 'waiting', 'message') ?? reason }];
  });
  const [first] = waiting;
  if (first === undefined) return [];
  const more = waiting.length > 1 ? `, and those of ${waiting.length - 1} other pods` : '';
  return [
    problem(
      `the sidecar of ${first.name} does not run${more}: ${first.why}`,
      `kubectl --namespace ${situation.namespace} logs ${first.name} --container ${SIDECAR_CONTAINER} --previous`,
    ),
  ];
}

/** Pods that run and ask for a store, by their label or that of the namespace. */
export function podsOf(store: StoreSituation, situation: Situation): readonly KubernetesObject[] {
  const namespace = valueIn(situation.namespaceObject)?.metadata ?? {};
  return runningPods(situation).filter((pod) => {
    const own = storeOfPod(namespace, pod);
    return own !== undefined && storeText(own) === storeText(store);
  });
}

function judge(pod: KubernetesObject, store: StoreSituation, { operator }: Situation): PodVerdict {
  const resource = valueIn(store.resource);
  const deployment = valueIn(operator);
  const spec = resource && readStore(resource).spec;
  const settings = deployment && operatorFacts(deployment).settings;
  const expected = { name: store.name, namespace: store.namespace, spec };
  return judgePod(pod, expected, settings && sidecarFor(expected, settings));
}

function listed(group: readonly Judged[]): string {
  const names = group.slice(0, NAMED).map(({ pod }) => pod.metadata.name);
  const more = group.length - names.length;
  return `${group.length === 1 ? 'pod' : 'pods'} ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Makes the first pod anew, with all of its owner. */
function restart([first]: readonly Judged[], namespace: string): string | undefined {
  if (first === undefined) return undefined;
  const { metadata } = first.pod;
  return restartAdvice(namespace, metadata.name, ownerOf(metadata));
}
