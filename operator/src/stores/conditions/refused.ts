import { type Finding, firstFinding, type Predicate } from './finding.ts';
import { quote } from './quote.ts';

/** Something that the API server, or a webhook of it, would not make. */
export interface RefusedThing {
  /** `the Deployment orders-gateway`, `a gateway pod` */
  readonly what: string;
  readonly namespace: string;
  /** where its resources are set: `spec.gateway.resources` */
  readonly resourcesField: string;
  /** the service account of the pods, and where it is named */
  readonly account: string;
  readonly accountField: string;
  /** the API server's words */
  readonly words: string;
}

const terminating: Predicate<RefusedThing> = ({ words, namespace }) =>
  /being terminated|NamespaceTerminating/.test(words)
    ? {
        reason: 'NamespaceTerminating',
        message: `the namespace ${namespace} is being deleted; nothing new can be made in it`,
      }
    : undefined;

const quota: Predicate<RefusedThing> = ({ what, words, namespace, resourcesField }) => {
  const [, name, facts] = /exceeded quota: ([^,]+), (.+?)(?: \(HTTP 403\))?$/.exec(words) ?? [];
  if (name === undefined || facts === undefined) return undefined;
  const wayOut = /cpu|memory/.test(facts) ? `raise it, or lower ${resourcesField}` : 'raise it';
  return {
    reason: 'QuotaExceeded',
    message: `the ResourceQuota ${name} of namespace ${namespace} has no room for ${what} (${quote(facts)}); ${wayOut}`,
  };
};

const quotaDemands: Predicate<RefusedThing> = ({ what, words, namespace, resourcesField }) => {
  const [, name, facts] = /failed quota: ([^:]+): (.+)/.exec(words) ?? [];
  if (name === undefined || facts === undefined) return undefined;
  return {
    reason: 'QuotaExceeded',
    message: `the ResourceQuota ${name} of namespace ${namespace} refuses ${what} (${quote(facts)}); add that to ${resourcesField}`,
  };
};

const podSecurity: Predicate<RefusedThing> = ({ what, words, namespace }) => {
  const [, violated] = /violates PodSecurity (.+)/.exec(words) ?? [];
  if (violated === undefined) return undefined;
  return {
    reason: 'PodSecurityRefused',
    message: `Pod Security of namespace ${namespace} refuses ${what}: ${quote(violated)}; as this operator makes it, it passes "restricted", so look for a webhook that changes pods (a mesh, for example)`,
  };
};

const serviceAccount: Predicate<RefusedThing> = ({ what, words, namespace, account, accountField }) =>
  /error looking up service account|serviceaccount "[^"]*" not found/.test(words)
    ? {
        reason: 'ServiceAccountMissing',
        message: `${what} cannot be made, as the ServiceAccount ${account} does not exist in namespace ${namespace}; create it, or take ${accountField} out to have one made`,
      }
    : undefined;

const operatorForbidden: Predicate<RefusedThing> = ({ what, words }) =>
  /User "[^"]*" cannot/.test(words)
    ? {
        reason: 'OperatorForbidden',
        message: `the operator may not make ${what}: ${quote(words)}; install the operator's Helm chart again, which brings the rights it needs`,
      }
    : undefined;

const webhook: Predicate<RefusedThing> = ({ what, words }) => {
  if (/failed calling webhook/.test(words)) {
    return {
      reason: 'WebhookFailed',
      message: `${what} cannot be made, as an admission webhook of the cluster does not work: ${quote(words)}`,
    };
  }
  if (!/admission webhook|ValidatingAdmissionPolicy/.test(words)) return undefined;
  return {
    reason: 'Refused',
    message: `a policy of the cluster refuses ${what}: ${quote(words)}; ask who runs the cluster for an exception`,
  };
};

const other: Predicate<RefusedThing> = ({ what, words, resourcesField }) => ({
  reason: 'Refused',
  message: `the API server refuses ${what}: ${quote(words)}${/resources|quantit|limit/i.test(words) ? `; correct ${resourcesField}` : ''}`,
});

const PREDICATES = [
  terminating,
  quota,
  quotaDemands,
  podSecurity,
  serviceAccount,
  operatorForbidden,
  webhook,
  other,
];

/** What a refusal means and what to do about it; `other` always speaks. */
export function refused(thing: RefusedThing): Finding {
  return firstFinding(PREDICATES, thing) as Finding;
}
