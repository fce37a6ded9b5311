import { GROUP, KIND, PLURAL, VERSION } from '@largepayload/crds';
import type { ResourceKind } from './api.ts';

function grouped(group: string, kind: string, plural: string, version = 'v1'): ResourceKind {
  return { group, version, kind, plural };
}

const core = (kind: string, plural: string) => grouped('', kind, plural);

export const LARGE_PAYLOAD_STORES = grouped(GROUP, KIND, PLURAL, VERSION);
export const CONFIG_MAPS = core('ConfigMap', 'configmaps');
export const NAMESPACES = core('Namespace', 'namespaces');
export const PODS = core('Pod', 'pods');
export const SERVICE_ACCOUNTS = core('ServiceAccount', 'serviceaccounts');
export const SERVICES = core('Service', 'services');
export const DEPLOYMENTS = grouped('apps', 'Deployment', 'deployments');
export const POD_DISRUPTION_BUDGETS = grouped('policy', 'PodDisruptionBudget', 'poddisruptionbudgets');
export const NETWORK_POLICIES = grouped('networking.k8s.io', 'NetworkPolicy', 'networkpolicies');
/** Read and written one by one: the operator may neither list nor watch them. */
export const SECRETS = core('Secret', 'secrets');
/** of cert-manager, where that makes the certificates */
export const CERTIFICATES = grouped('cert-manager.io', 'Certificate', 'certificates');
export const MUTATING_ADMISSION_POLICIES = grouped(
  'admissionregistration.k8s.io',
  'MutatingAdmissionPolicy',
  'mutatingadmissionpolicies',
);
export const MUTATING_ADMISSION_POLICY_BINDINGS = grouped(
  'admissionregistration.k8s.io',
  'MutatingAdmissionPolicyBinding',
  'mutatingadmissionpolicybindings',
);
export const MUTATING_WEBHOOK_CONFIGURATIONS = grouped(
  'admissionregistration.k8s.io',
  'MutatingWebhookConfiguration',
  'mutatingwebhookconfigurations',
);
export const LEASES = grouped('coordination.k8s.io', 'Lease', 'leases');
/** Only this older form of Events can be selected by the UID of the object that they are about. */
export const POD_EVENTS = core('Event', 'events');
export const EVENTS = grouped('events.k8s.io', 'Event', 'events');

/** The fields that name the kind in an object: `apiVersion` is `apps/v1`, or `v1` in the core group. */
export function kindOf({ group, version, kind }: ResourceKind): { apiVersion: string; kind: string } {
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind };
}
