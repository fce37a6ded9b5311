import type { ResourceKind } from '../kubernetes/api.ts';

/** Kinds that the doctor reads and the operator does not. */
const registration = (kind: string, plural: string): ResourceKind => ({
  ...{ group: 'admissionregistration.k8s.io', version: 'v1', kind, plural },
});

export const MUTATING_ADMISSION_POLICIES = registration(
  'MutatingAdmissionPolicy',
  'mutatingadmissionpolicies',
);
export const MUTATING_ADMISSION_POLICY_BINDINGS = registration(
  'MutatingAdmissionPolicyBinding',
  'mutatingadmissionpolicybindings',
);
export const ENDPOINT_SLICES: ResourceKind = {
  ...{ group: 'discovery.k8s.io', version: 'v1', kind: 'EndpointSlice', plural: 'endpointslices' },
};
