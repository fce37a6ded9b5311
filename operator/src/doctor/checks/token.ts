import { at, listAt, textAt } from '@largepayload/crds';
import { SIDECAR_CONTAINER } from '../../injection/names.ts';
import { sidecarOf } from '../../injection/raw-pod.ts';
import { audienceOf } from '../../injection/sidecar.ts';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { type Finding, ok, problem } from '../finding.ts';
import type { Situation, StoreSituation } from '../situation.ts';
import { podsOf } from './pods.ts';

/** Whether the sidecars show tokens for this store: a hand-written one may show those for another. */
export function checkToken(store: StoreSituation, situation: Situation): readonly Finding[] {
  const expected = audienceOf(store);
  const pods = podsOf(store, situation).filter((pod) => sidecarOf(pod) !== undefined);
  if (pods.length === 0) return [];
  const wrong = pods.find((pod) => !audiencesOf(pod).includes(expected));
  if (wrong === undefined) return [ok(`sidecars show tokens with the audience ${expected}`)];
  const [first = 'none'] = audiencesOf(wrong);
  return [
    problem(
      `the token of ${wrong.metadata.name} has the audience ${first}, and the gateway asks for ${expected}`,
      `write audience: ${expected} into the volume of the container ${SIDECAR_CONTAINER}`,
    ),
  ];
}

/** Of the projected tokens that the sidecar mounts. */
function audiencesOf(pod: KubernetesObject): readonly string[] {
  const mounted = listAt(sidecarOf(pod), 'volumeMounts').map((mount) => at(mount, 'name'));
  return listAt(pod, 'spec', 'volumes')
    .filter((volume) => mounted.includes(at(volume, 'name')))
    .flatMap((volume) => listAt(volume, 'projected', 'sources'))
    .flatMap((source) => textAt(source, 'serviceAccountToken', 'audience') ?? []);
}
