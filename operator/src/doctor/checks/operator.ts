import { type Finding, ok, problem, unknown, warning } from '../finding.ts';
import { HELM_INSTALL, helmUpgrade, type OperatorFacts, operatorFacts } from '../operator-facts.ts';
import type { Situation } from '../situation.ts';

/** Whether the operator runs and injects, and what it means for new pods if it does not. */
export function checkOperator({ operator }: Situation): readonly Finding[] {
  if (operator.kind === 'unreadable') return [unknown(operator.why)];
  if (operator.kind !== 'found') {
    return [problem('no Deployment of the operator was found', HELM_INSTALL)];
  }
  const facts = operatorFacts(operator.value);
  return [availability(facts), injection(facts)];
}

function availability(facts: OperatorFacts): Finding {
  const { namespace, name, available, wanted } = facts;
  const pods = `kubectl --namespace ${namespace} get pods,events`;
  if (available >= wanted && available > 0)
    return ok(`${count(available)} of the operator ${is(available)} available`);
  if (available > 0) return warning(`${available} of ${count(wanted)} of the operator are available`, pods);
  const fix = wanted === 0 ? `kubectl --namespace ${namespace} scale deployment ${name} --replicas 2` : pods;
  return AWAY[facts.injection ?? 'Off'](facts, fix);
}

/** What the operator's absence means, by the way of injection. */
const AWAY: Readonly<Record<'Webhook' | 'Policy' | 'Off', (facts: OperatorFacts, fix: string) => Finding>> = {
  Webhook: ({ failurePolicy }, fix) =>
    failurePolicy === 'Fail'
      ? problem('no replica of the operator is available, so pods in scope cannot be made', fix)
      : problem('no replica of the operator is available, so new pods get no sidecar', fix),
  Policy: (_facts, fix) =>
    warning(
      'no replica of the operator is available; the API server injects by itself, and changes of stores wait',
      fix,
    ),
  Off: (_facts, fix) => warning('no replica of the operator is available: changes of stores wait', fix),
};

function injection(facts: OperatorFacts): Finding {
  const { injection: way, failurePolicy } = facts;
  if (way === 'Policy') return ok('injection is on, by admission policies');
  if (way === 'Webhook') return ok(`injection is on, by the webhook, with failurePolicy ${failurePolicy}`);
  return warning(
    'the operator does not inject: only pod templates that went through "payload-store inject" have sidecars',
    helmUpgrade(facts, 'injection.enabled=true'),
  );
}

const count = (replicas: number) => (replicas === 1 ? '1 replica' : `${replicas} replicas`);
const is = (replicas: number) => (replicas === 1 ? 'is' : 'are');
