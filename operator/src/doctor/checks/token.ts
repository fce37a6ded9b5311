import { listAt, textAt } from '@largepayload/crds';
import { SERVICE_URL_VARIABLE } from '../../injection/names.ts';
import { CONTAINER_LISTS, itemsOf } from '../../injection/raw-pod.ts';
import { audienceOf } from '../../injection/sidecar.ts';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { componentName } from '../../stores/names.ts';
import { type Finding, ok, problem } from '../finding.ts';
import type { Situation, StoreSituation } from '../situation.ts';
import { runningPods } from './running-pods.ts';

/** Whether pods that use the gateway without a sidecar have a token for this store. `checkPods` judges those of sidecars. */
export function checkToken(store: StoreSituation, situation: Situation): readonly Finding[] {
  const expected = audienceOf(store);
  const direct = runningPods(situation).filter((pod) => usesGateway(pod, store));
  const wrong = direct.find((pod) => !audiencesOf(pod).includes(expected));
  if (direct.length === 0) return [];
  if (wrong === undefined)
    return [ok(`pods that use the gateway without a sidecar have tokens with the audience ${expected}`)];
  return [
    problem(
      `pod ${wrong.metadata.name} uses the gateway without a sidecar, and has no token with the audience ${expected}`,
      'mount a projected token as docs/injection.md shows',
    ),
  ];
}

function usesGateway(pod: KubernetesObject, { name, namespace }: StoreSituation): boolean {
  const host = `${componentName(name, 'gateway')}.${namespace}.svc`;
  return CONTAINER_LISTS.flatMap((list) => itemsOf(pod, list))
    .flatMap((container) => listAt(container, 'env'))
    .filter((variable) => textAt(variable, 'name') === SERVICE_URL_VARIABLE)
    .some((variable) => URL.parse(textAt(variable, 'value') ?? '')?.hostname.startsWith(host));
}

function audiencesOf(pod: KubernetesObject): readonly string[] {
  return listAt(pod, 'spec', 'volumes')
    .flatMap((volume) => listAt(volume, 'projected', 'sources'))
    .flatMap((source) => textAt(source, 'serviceAccountToken', 'audience') ?? []);
}
