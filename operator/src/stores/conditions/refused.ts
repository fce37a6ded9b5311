import { type Finding, firstFinding, type Predicate } from './finding.ts';
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

const terminating: Predicate<RefusedThing> = ({ refusal, namespace }) =>
  /being terminated|NamespaceTerminating/.test(refusal)
    ? {
        reason: 'NamespaceTerminating',
        message: `the namespace ${namespace} is being deleted; nothing new can be made in it`,
      }
    : undefined;

const quota: Predicate<RefusedThing> = ({ what, refusal, namespace, resourcesField }) => {
  const [, name, facts] = /exceeded quota: ([^,]+), (.+?)(?: \(HTTP 403\))?$/.exec(refusal) ?? [];
  if (name === undefined || facts === undefined) return undefined;
  const wayOut = /cpu|memory/.test(facts) ? `raise it, or lower ${resourcesField}` : 'raise it';
  return {
    reason: 'QuotaExceeded',
    message: `the ResourceQuota ${name} of namespace ${namespace} has no room for ${what} (${quote(facts)}); ${wayOut}`,
  };
};

const quotaDemands: Predicate<RefusedThing> = ({ what, refusal, namespace, resourcesField }) => {
  const [, name, facts] = /failed quota: ([^:]+): (.+)/.exec(refusal) ?? [];
  if (name === undefined || facts === undefined) return undefined;
  return {
    reason: 'QuotaExceeded',
    message: `the ResourceQuota ${name} of namespace ${namespace} refuses ${what} (${quote(facts)}); add that to ${resourcesField}`,
  };
};

const podSecurity: Predicate<RefusedThing> = ({ what, refusal, namespace }) => {
  const [, violated] = /violates PodSecurity (.+)/.exec(refusal) ?? [];
  if (violated === undefined) return undefined;
  return {
    reason: 'PodSecurityRefused',
    message: `Pod Security of namespace ${namespace} refuses ${what}: ${quote(violated)}; as this operator makes it, it passes "restricted", so look for a webhook that changes pods (a mesh, for example)`,
  };
};

const serviceAccount: Predicate<RefusedThing> = ({ what, refusal, namespace, account, accountField }) =>
  /error looking up service account|serviceaccount "[^"]*" not found/.test(refusal)
    ? {
        reason: 'ServiceAccountMissing',
        message: `${what} cannot be made, as the ServiceAccount ${account} does not exist in namespace ${namespace}; create it, or take ${accountField} out to have one made`,
      }
    : undefined;

const operatorForbidden: Predicate<RefusedThing> = ({ what, refusal }) =>
  /User "[^"]*" cannot/.test(refusal)
    ? {
        reason: 'OperatorForbidden',
        message: `the operator may not make ${what}: ${quote(refusal)}; install the operator's Helm chart again, which brings the rights it needs`,
      }
    : undefined;

const webhook: Predicate<RefusedThing> = ({ what, refusal }) => {
  if (/failed calling webhook/.test(refusal)) {
    return {
      reason: 'WebhookFailed',
      message: `${what} cannot be made, as an admission webhook of the cluster does not work: ${quote(refusal)}`,
    };
  }
  if (!/admission webhook|ValidatingAdmissionPolicy/.test(refusal)) return undefined;
  return {
    reason: 'Refused',
    message: `a policy of the cluster refuses ${what}: ${quote(refusal)}; ask who runs the cluster for an exception`,
  };
};

const other: Predicate<RefusedThing> = ({ what, refusal, resourcesField }) => ({
  reason: 'Refused',
  message: `the API server refuses ${what}: ${quote(refusal)}${/resources|quantit|limit/i.test(refusal) ? `; correct ${resourcesField}` : ''}`,
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

/** What a refusal means and what to do about it; `other` always has a finding. */
export function refused(thing: RefusedThing): Finding {
  return firstFinding(PREDICATES, thing) as Finding;
}
