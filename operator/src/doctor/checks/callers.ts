import { textAt } from '@largepayload/crds';
import { mayUse } from '../../injection/may-use.ts';
import { effectiveAuthentication } from '../../stores/authentication.ts';
import { readStore, type StoreResource, type StoreSpec } from '../../stores/read-store.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';
import { valueIn } from '../reading.ts';
import type { Situation, StoreSituation } from '../situation.ts';
import { runningPods } from './running-pods.ts';

/** Whether the gateways admit the service accounts of the workers, as `spec.callers` says. */
export function checkCallers(store: StoreSituation, situation: Situation): readonly Finding[] {
  const object = valueIn(store.resource);
  if (object === undefined) return [];
  const resource = readStore(object);
  const { spec } = resource;
  const { namespace } = situation;
  // `checkStore` reports a namespace that is not allowed.
  if (spec === undefined || !mayUse({ ...store, spec }, namespace)) return [];
  const authentication = effectiveAuthentication(resource);
  if (authentication === 'None')
    return [warning('gateways ask no caller for a token (authentication None)', edit(resource))];
  if (spec.callers === undefined) return [ok(`every pod of ${namespace} may get and put payloads`)];
  const refused = accountsOf(situation).flatMap((account) => judge(resource, spec, namespace, account));
  return refused.length > 0 ? refused : [ok('spec.callers admits the service accounts of the pods')];
}

function judge(
  resource: StoreResource,
  { callers = [] }: StoreSpec,
  namespace: string,
  account: string,
): readonly Finding[] {
  const name = `${namespace}/${account}`;
  const entries = callers.filter(
    ({ namespaces, serviceAccounts }) => namespaces?.includes(namespace) || serviceAccounts?.includes(name),
  );
  if (entries.length === 0)
    return [problem(`no entry of spec.callers admits the service account ${name} (403)`, edit(resource))];
  if (entries.every(({ access }) => access === 'Read'))
    return [
      warning(`spec.callers lets the service account ${name} get payloads, and put none`, edit(resource)),
    ];
  return [];
}

function edit({ namespace, name }: StoreResource): string {
  return `kubectl --namespace ${namespace} edit largepayloadstore ${name}`;
}

/** Of the pods that run, at most twenty; without pods, the one that pods have by default. */
function accountsOf(situation: Situation): readonly string[] {
  const accounts = runningPods(situation).map(
    (pod) => textAt(pod, 'spec', 'serviceAccountName') ?? 'default',
  );
  return accounts.length === 0 ? ['default'] : [...new Set(accounts)].slice(0, 20);
}
