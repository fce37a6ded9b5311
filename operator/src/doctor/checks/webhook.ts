import { at, listAt, textAt } from '@largepayload/crds';
import { readCertificate } from '../../authority/read-certificate.ts';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { type Finding, ok, problem, those, unknown } from '../finding.ts';
import { helmUpgrade, type OperatorFacts, operatorFacts } from '../operator-facts.ts';
import { valueIn } from '../reading.ts';
import type { Situation } from '../situation.ts';
import { splitBundle } from './bundle.ts';

/** Whether the API server asks the webhook, trusts it, and reaches a replica. Where the operator is no webhook, whether one is left. */
export function checkWebhook(situation: Situation): readonly Finding[] {
  const operator = valueIn(situation.operator);
  const facts = operator && operatorFacts(operator);
  const { webhooks } = situation;
  if (facts !== undefined && facts.injection !== 'Webhook') return (valueIn(webhooks) ?? []).map(left);
  if (webhooks.kind === 'unreadable') return [unknown(webhooks.why)];
  const [configuration] = valueIn(webhooks) ?? [];
  // Without the operator's Deployment it is not known which way injects: a policy may.
  if (configuration === undefined) return facts === undefined ? [] : [missing(facts)];
  const findings = those(trust(configuration, situation.now), endpoints(configuration, situation));
  return findings.length > 0
    ? findings
    : [ok('the API server asks the webhook, trusts it and has endpoints of it')];
}

/** Helm leaves what an upgrade that failed has made. */
function left({ metadata: { name } }: KubernetesObject): Finding {
  return problem(
    `the MutatingWebhookConfiguration ${name} is left, and the operator is no webhook now: pods in scope may be refused`,
    `kubectl delete mutatingwebhookconfiguration ${name}`,
  );
}

function missing(facts: OperatorFacts): Finding {
  return problem(
    'the operator injects by the webhook, and there is no MutatingWebhookConfiguration of it',
    helmUpgrade(facts),
  );
}

function trust(configuration: KubernetesObject, now: number): Finding | undefined {
  const { name } = configuration.metadata;
  const bundles = listAt(configuration, 'webhooks').map((entry) => textAt(entry, 'clientConfig', 'caBundle'));
  const fix = `look at the log of the operator, which writes caBundle into MutatingWebhookConfiguration ${name}`;
  if (bundles.some((bundle) => bundle === undefined))
    return problem(`the webhook ${name} has no caBundle, so the API server does not trust it`, fix);
  const certificates = bundles.map((bundle) => splitBundle(Buffer.from(bundle ?? '', 'base64').toString()));
  if (certificates.every((bundle) => bundle.some((pem) => isValid(pem, now)))) return undefined;
  return problem(`the caBundle of the webhook ${name} has no certificate that is valid now`, fix);
}

function isValid(pem: string, now: number): boolean {
  try {
    const { notBefore, notAfter } = readCertificate(pem);
    return notBefore <= now && now < notAfter;
  } catch {
    return false;
  }
}

function endpoints(configuration: KubernetesObject, situation: Situation): Finding | undefined {
  const { webhookEndpoints: slices } = situation;
  const service = at(listAt(configuration, 'webhooks')[0], 'clientConfig', 'service');
  // The webhook may be registered by a URL.
  if (service === undefined) return undefined;
  if (slices.kind === 'unreadable') return unknown(slices.why);
  const addresses = (valueIn(slices) ?? []).flatMap((slice) => listAt(slice, 'endpoints'));
  if (addresses.some((endpoint) => at(endpoint, 'conditions', 'ready') !== false)) return undefined;
  const namespace = textAt(service, 'namespace') ?? '';
  return problem(
    `the Service ${textAt(service, 'name')} of the webhook has no endpoint that is ready`,
    `kubectl --namespace ${namespace} get pods,endpointslices`,
  );
}
