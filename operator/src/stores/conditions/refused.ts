import type { Finding, Reason } from './finding.ts';
import { quote } from './quote.ts';

/** An object that the API server, or a webhook of the cluster, refused to make. */
export interface RefusedThing {
  /** `the Deployment orders-gateway`, `a gateway pod` */
  readonly what: string;
  readonly namespace: string;
  /** where its resources are set: `spec.gateway.resources` */
  readonly resourcesField: string;
  /** the service account of the pods, and where it is named */
  readonly account: string;
  readonly accountField: string;
  /** the message of the API server */
  readonly refusal: string;
}

/** A kind of refusal, by the text of Kubernetes. `details`: the groups of the pattern */
interface Refusal {
  readonly pattern: RegExp;
  readonly reason: Reason;
  readonly message: (thing: RefusedThing, ...details: string[]) => string;
}

const REFUSALS: readonly Refusal[] = [
  {
    pattern: /being terminated|NamespaceTerminating/,
    reason: 'NamespaceTerminating',
    message: ({ namespace }) => `the namespace ${namespace} is being deleted; nothing new can be made in it`,
  },
  {
    pattern: /exceeded quota: ([^,]+), (.+?)(?: \(HTTP 403\))?$/,
    reason: 'QuotaExceeded',
    message: ({ what, namespace, resourcesField }, name, facts = '') =>
      `the ResourceQuota ${name} of namespace ${namespace} has no room for ${what} (${quote(facts)}); raise it${/cpu|memory/.test(facts) ? `, or lower ${resourcesField}` : ''}`,
  },
  {
    pattern: /failed quota: ([^:]+): (.+)/,
    reason: 'QuotaExceeded',
    message: ({ what, namespace, resourcesField }, name, facts = '') =>
      `the ResourceQuota ${name} of namespace ${namespace} refuses ${what} (${quote(facts)}); add that to ${resourcesField}`,
  },
  {
    pattern: /violates PodSecurity (.+)/,
    reason: 'PodSecurityRefused',
    message: ({ what, namespace }, violated = '') =>
      `Pod Security of namespace ${namespace} refuses ${what}: ${quote(violated)}; as this operator makes it, it passes "restricted", so look for a webhook that changes pods (a mesh, for example)`,
  },
  {
    pattern: /error looking up service account|serviceaccount "[^"]*" not found/,
    reason: 'ServiceAccountMissing',
    message: ({ what, namespace, account, accountField }) =>
      `${what} cannot be made, as the ServiceAccount ${account} does not exist in namespace ${namespace}; create it, or take ${accountField} out to have one made`,
  },
  {
    pattern: /User "[^"]*" cannot/,
    reason: 'OperatorForbidden',
    message: ({ what, refusal }) =>
      `the operator may not make ${what}: ${quote(refusal)}; install the operator's Helm chart again, which brings the rights it needs`,
  },
  {
    pattern: /failed calling webhook/,
    reason: 'WebhookFailed',
    message: ({ what, refusal }) =>
      `${what} cannot be made, as an admission webhook of the cluster does not work: ${quote(refusal)}`,
  },
  {
    pattern: /admission webhook|ValidatingAdmissionPolicy/,
    reason: 'Refused',
    message: ({ what, refusal }) =>
      `a policy of the cluster refuses ${what}: ${quote(refusal)}; ask who runs the cluster for an exception`,
  },
];

/** The meaning of a refusal, with advice. */
export function refused(thing: RefusedThing): Finding {
  const { what, refusal, resourcesField } = thing;
  for (const { pattern, reason, message } of REFUSALS) {
    const [found, ...details] = pattern.exec(refusal) ?? [];
    if (found !== undefined) return { reason, message: message(thing, ...details) };
  }
  const advice = /resources|quantit|limit/i.test(refusal) ? `; correct ${resourcesField}` : '';
  return { reason: 'Refused', message: `the API server refuses ${what}: ${quote(refusal)}${advice}` };
}
