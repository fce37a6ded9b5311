import { nearest } from '@largepayload/crds/suggest';
import { mayUse } from '../../injection/may-use.ts';
import { readStore, type StoreResource } from '../../stores/read-store.ts';
import { type Finding, ok, problem, unknown } from '../finding.ts';
import { HELM_INSTALL } from '../operator-facts.ts';
import { valueIn } from '../reading.ts';
import { type Situation, type StoreSituation, storeText } from '../situation.ts';

/** Whether the store is there, can be read, and allows the namespace of the workers. */
export function checkStore(store: StoreSituation, { namespace }: Situation): readonly Finding[] {
  const { resource } = store;
  switch (resource.kind) {
    case 'unreadable':
      return [unknown(resource.why)];
    case 'unserved':
      return [
        problem(
          'the API server does not know LargePayloadStores: the CustomResourceDefinition is not installed',
          HELM_INSTALL,
        ),
      ];
    case 'absent':
      return [absent(store)];
    case 'found':
      return [judge(readStore(resource.value), namespace)];
  }
}

function absent({ name, namespace, others }: StoreSituation): Finding {
  const names = valueIn(others) ?? [];
  const near = nearest(name, names);
  const hint = near !== undefined ? `; did you mean "${near}"?` : existing(namespace, names);
  return problem(
    `there is no store ${name} in the namespace ${namespace}${hint}`,
    `kubectl --namespace ${namespace} get largepayloadstores`,
  );
}

function existing(namespace: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `; ${namespace} has ${names.slice(0, 5).join(', ')}`;
}

function judge(store: StoreResource, namespace: string): Finding {
  if (store.deleting) return problem(`the store ${storeText(store)} is being deleted`);
  const { problems, spec } = store;
  const describe = `kubectl --namespace ${store.namespace} describe largepayloadstore ${store.name}`;
  if (spec === undefined) {
    const [first] = problems;
    return problem(`the spec of the store cannot be read: ${first?.path} ${first?.message}`, describe);
  }
  const place = { name: store.name, namespace: store.namespace, spec };
  if (mayUse(place, namespace)) return ok(`the store is there, and ${namespace} may use it`);
  return problem(
    `the store does not allow the namespace ${namespace}: its pods get no sidecar of it`,
    allowCommand(store, spec.allowedNamespaces, namespace),
  );
}

function allowCommand(
  { name, namespace }: StoreResource,
  allowed: readonly string[] | undefined,
  added: string,
): string {
  const list = JSON.stringify([...(allowed ?? []), added]);
  return `kubectl --namespace ${namespace} patch largepayloadstore ${name} --type merge --patch '{"spec":{"allowedNamespaces":${list}}}'`;
}
