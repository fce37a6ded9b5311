import { at, listAt, textAt } from '@largepayload/crds';
import { CONFIG_MAPS, SERVICE_ACCOUNTS } from '../../kubernetes/resources.ts';
import type { DesiredObject } from '../desired-objects.ts';
import { identityOf } from '../ownership.ts';

/** Identities of the objects that the pods of a Deployment need to start: account and configuration. None of another object. */
export function podNeeds({ object }: DesiredObject): readonly string[] {
  const pod = at(object.spec, 'template', 'spec');
  const { namespace = '' } = object.metadata;
  const account = textAt(pod, 'serviceAccountName');
  const configMaps = listAt(pod, 'volumes')
    .filter((volume) => at(volume, 'configMap', 'optional') !== true)
    .flatMap((volume) => textAt(volume, 'configMap', 'name') ?? []);
  return [
    ...(account === undefined ? [] : [identityOf({ resource: SERVICE_ACCOUNTS, namespace, name: account })]),
    ...configMaps.map((name) => identityOf({ resource: CONFIG_MAPS, namespace, name })),
  ];
}
