import { listAt, textAt } from '@largepayload/crds';
import { judgePod, type PodVerdict } from '../../injection/judge-pod.ts';
import { SIDECAR_CONTAINER } from '../../injection/names.ts';
import { sidecarFor } from '../../injection/sidecar.ts';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { readStore } from '../../stores/read-store.ts';
import { type Finding, ok, problem, those, unknown, warning } from '../finding.ts';
import { operatorFacts } from '../operator-facts.ts';
import { storeOfPod } from '../pod-store.ts';
import { valueIn } from '../reading.ts';
import { type Situation, type StoreSituation, storeText } from '../situation.ts';
import { runningPods } from './running-pods.ts';

/** Pods that a finding names. */
const NAMED = 3;

interface Judged {
  readonly pod: KubernetesObject;
  readonly verdict: PodVerdict;
}

/** Whether the pods that ask for a store have its sidecar. */
export function checkPods(store: StoreSituation, situation: Situation): readonly Finding[] {
  const { pods, namespace } = situation;
  if (pods.kind === 'unreadable') return [unknown(pods.why)];
  const judged = podsOf(store, situation).map((pod) => ({ pod, verdict: judge(pod, store, situation) }));
  const ofKind = (kind: PodVerdict['kind']) => judged.filter(({ verdict }) => verdict.kind === kind);
  const missed = ofKind('missed');
  const outdated = ofKind('outdated');
  const skipped = ofKind('skipped');
  const findings = those(
    missed.length > 0
      ? problem(`${listed(missed)} without the sidecar of ${storeText(store)}`, restart(missed, namespace))
      : undefined,
    outdated.length > 0
      ? warning(
          `${listed(outdated)} with a sidecar that is not the one of today`,
          restart(outdated, namespace),
        )
      : undefined,
    skipped.length > 0 ? warning(`${listed(skipped)} never injected: ${messageOf(skipped)}`) : undefined,
    valueIn(pods)?.complete === false ? unknown('there are more pods than are looked at') : undefined,
  );
  if (findings.length > 0) return findings;
  if (judged.length === 0)
    return [warning(`no pod of ${namespace} asks for the store ${storeText(store)}, or none runs`)];
  return [ok(`${count(judged.length)} with the sidecar of ${storeText(store)}`)];
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

function listed(judged: readonly Judged[]): string {
  const names = judged.slice(0, NAMED).map(({ pod }) => pod.metadata.name);
  const more = judged.length - names.length;
  return `${count(judged.length)} (${names.join(', ')}${more > 0 ? ` and ${more} more` : ''})`;
}

const count = (pods: number) => (pods === 1 ? '1 pod is' : `${pods} pods are`);

function messageOf([first]: readonly Judged[]): string {
  return first !== undefined && 'message' in first.verdict ? first.verdict.message : '';
}

/** Makes the first pod anew, with all of its owner. */
function restart([first]: readonly Judged[], namespace: string): string {
  const owner = first?.pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
  const kubectl = `kubectl --namespace ${namespace}`;
  if (owner === undefined) return `${kubectl} delete pod ${first?.pod.metadata.name}   # and make it again`;
  if (owner.kind === 'Job') return `make the Job ${owner.name} again`;
  if (owner.kind !== 'ReplicaSet')
    return `${kubectl} rollout restart ${owner.kind.toLowerCase()} ${owner.name}`;
  return `${kubectl} rollout restart deployment ${owner.name.replace(/-[a-z0-9]+$/, '')}`;
}
