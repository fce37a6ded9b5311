import { at } from '@largepayload/crds';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { type Finding, ok, problem, unknown } from '../finding.ts';
import { helmUpgrade, type OperatorFacts, operatorFacts } from '../operator-facts.ts';
import { valueIn } from '../reading.ts';
import type { Situation, StoreSituation } from '../situation.ts';
import { selects } from './label-selector.ts';

/** Whether the API server has the policy of a store, and a binding of it for the namespace. No finding where the webhook injects. */
export function checkPolicy(store: StoreSituation, situation: Situation): readonly Finding[] {
  const operator = valueIn(situation.operator);
  const facts = operator && operatorFacts(operator);
  if (facts !== undefined && facts.injection !== 'Policy') return [];
  if (facts === undefined && (valueIn(situation.webhooks) ?? []).length > 0) return [];
  const { policy, bindings } = store;
  switch (policy.kind) {
    case 'unreadable':
      return [unknown(policy.why)];
    case 'unserved':
      return [facts === undefined ? NEITHER : unserved(facts)];
    case 'absent':
      return [facts === undefined ? NEITHER : missing(store, facts)];
    case 'found':
      if (bindings.kind === 'unreadable') return [unknown(bindings.why)];
      return [bound(policy.value, valueIn(bindings) ?? [], situation)];
  }
}

const NEITHER = problem(
  'the API server has neither the webhook nor an admission policy for this store, so nothing is injected',
  'kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies',
);

function unserved(facts: OperatorFacts): Finding {
  return problem(
    'the operator injects by admission policies, which this API server does not have (Kubernetes 1.36 has them)',
    helmUpgrade(facts, 'injection.mode=Webhook'),
  );
}

function missing({ resource }: StoreSituation, { name, namespace }: OperatorFacts): Finding {
  const hasStore = resource.kind === 'found';
  const why = hasStore ? 'the operator has not written it' : 'a store that is not there has none';
  return problem(
    `there is no admission policy for the store: ${why}`,
    hasStore ? `kubectl --namespace ${namespace} logs deployment/${name}` : 'make the store first',
  );
}

function bound(
  policy: KubernetesObject,
  bindings: readonly KubernetesObject[],
  { namespaceObject, namespace }: Situation,
): Finding {
  const { name } = policy.metadata;
  const own = bindings.filter((binding) => at(binding, 'spec', 'policyName') === name);
  const show = `kubectl get mutatingadmissionpolicybindings --output yaml`;
  if (own.length === 0)
    return problem(`the admission policy ${name} has no binding, so it does nothing`, show);
  const labels = valueIn(namespaceObject)?.metadata.labels;
  if (labels === undefined)
    return ok(`the API server has the policy ${name} and ${own.length} bindings of it`);
  // A policy has the namespaces that may use the store, and its bindings the labels that ask for it.
  const isBound =
    selects(at(policy, 'spec', 'matchConstraints', 'namespaceSelector'), labels) &&
    own.some((binding) => selects(at(binding, 'spec', 'matchResources', 'namespaceSelector'), labels));
  if (isBound) return ok(`the API server has the policy ${name} and a binding of it for ${namespace}`);
  return problem(`no binding of the admission policy ${name} is for the namespace ${namespace}`, show);
}
