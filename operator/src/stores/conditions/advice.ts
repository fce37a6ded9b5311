import { placeOf, STORAGE_KINDS, storageKindOf } from '@largepayload/crds';
import { accountName } from '../desired/service-accounts.ts';
import { type Component, componentName } from '../names.ts';
import type { StoreResource } from '../read-store.ts';

/** `the bucket payloads, prefix orders/,` */
export function placeOfData({ spec }: StoreResource): string {
  return spec === undefined ? 'the storage' : placeOf(spec);
}

/** Where payloads are kept cannot change. */
export function takeAnotherPlace({ spec }: StoreResource): string {
  const { placeParts } = spec === undefined ? STORAGE_KINDS.s3 : storageKindOf(spec);
  return `delete this store and make it again with a ${placeParts} of its own, as that cannot be edited`;
}

/** The content of `store.json`, for a person who has to write it again. */
export function identityText({ namespace, name, status }: StoreResource): string {
  const id = status.storageID?.split('/')[2];
  return id === undefined ? '' : ` (it says ${JSON.stringify({ namespace, name, id })})`;
}

/** `AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`: the keys of a Secret with credentials */
export function credentialKeysOf({ spec }: StoreResource): string {
  return spec === undefined ? '' : storageKindOf(spec).credentialKeys.join(' and ');
}

export function accountOf({ name, spec }: StoreResource, component: Component): string {
  // A spec that cannot be read may name another account than the default.
  return spec === undefined ? 'its ServiceAccount' : `ServiceAccount ${accountName(name, spec, component)}`;
}

export function secretOf({ spec }: StoreResource, component: Component): string | undefined {
  return spec?.[component]?.credentialsSecretRef?.name;
}

/** Makes the pods of a component anew. */
export function restartCommand({ namespace, name }: StoreResource, component: Component): string {
  return `kubectl -n ${namespace} rollout restart deployment ${componentName(name, component)}`;
}

/** Where a component's credentials come from, for a person who has to correct them. */
export function correctCredentials(store: StoreResource, component: Component): string {
  if (store.spec === undefined) return 'check its credentials';
  const secret = secretOf(store, component);
  if (secret !== undefined) {
    return `the ${component}'s credentials are in Secret ${secret} (spec.${component}.credentialsSecretRef); correct that, and within two minutes it goes on by itself`;
  }
  const account = accountOf(store, component);
  return `spec.${component}.credentialsSecretRef names no Secret, so the ${component} has the cloud identity of ${account}; give that the rights, and where it had no identity before, make its pods anew by ${restartCommand(store, component)}; or name a Secret`;
}

/** What a person looks at when a gateway cannot load the keys of an issuer. */
export function correctIssuer({ name, spec }: StoreResource, issuer: string): string {
  if (spec?.gateway.oidc?.some((each) => each.issuer === issuer)) {
    return 'check the issuer in spec.gateway.oidc, and that pods of this namespace can reach it';
  }
  const account = spec === undefined ? '' : ` (ServiceAccount ${accountName(name, spec, 'gateway')})`;
  return `the keys come from https://kubernetes.default.svc: check that no NetworkPolicy keeps the gateway from it, and that its account${account} has the ClusterRole system:service-account-issuer-discovery, which Kubernetes gives to all service accounts`;
}
