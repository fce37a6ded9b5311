import { refused } from './token-refused.ts';
import { type Claims, claimOf } from './tokens/token-parts.ts';
import type { VerifiedToken } from './tokens/token-verifier.ts';

interface CommonIdentity {
  /** for people, in messages */
  readonly name: string;
  /** the name under which its share of places and memory is counted */
  readonly peer: string;
}

/** A service account, and the pod that shows its token. */
export interface ServiceAccountIdentity extends CommonIdentity {
  readonly kind: 'kubernetes';
  readonly namespace: string;
  /** `NAMESPACE/NAME` */
  readonly serviceAccount: string;
}

/** A caller outside the cluster. */
export interface OidcIdentity extends CommonIdentity {
  readonly kind: 'oidc';
  readonly issuer: string;
  readonly claims: Claims;
}

export type Identity = ServiceAccountIdentity | OidcIdentity;

const LONGEST_TEXT = 1_024;

/** Who shows a token. @throws ServiceError `token_refused` when its claims do not say that */
export function identityOf({ issuer, claims }: VerifiedToken): Identity {
  return issuer.kind === 'kubernetes' ? serviceAccountOf(claims) : oidcIdentityOf(claims);
}

/** https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens */
function serviceAccountOf(claims: Claims): ServiceAccountIdentity {
  const private_ = claimOf(claims, 'kubernetes.io');
  const namespace = textAt(private_, 'namespace');
  const name = textAt(objectAt(private_, 'serviceaccount'), 'name');
  if (namespace === undefined) throw refused('its claim kubernetes.io.namespace is missing');
  if (name === undefined) throw refused('its claim kubernetes.io.serviceaccount.name is missing');
  const subject = `system:serviceaccount:${namespace}:${name}`;
  if (claimOf(claims, 'sub') !== subject) throw refused('its claims sub and kubernetes.io do not agree');
  const pod = textAt(objectAt(private_, 'pod'), 'uid');
  const serviceAccount = `${namespace}/${name}`;
  return {
    kind: 'kubernetes',
    name: `the service account ${serviceAccount}`,
    peer: pod === undefined ? subject : `pod ${pod}`,
    ...{ namespace, serviceAccount },
  };
}

function oidcIdentityOf(claims: Claims): OidcIdentity {
  const issuer = claimOf(claims, 'iss') as string;
  const subject = textAt(claims, 'sub');
  if (subject === undefined) throw refused('its claim sub is missing');
  return { kind: 'oidc', name: `${subject} of ${issuer}`, peer: `${subject} ${issuer}`, issuer, claims };
}

function objectAt(object: unknown, name: string): unknown {
  return typeof object === 'object' && object !== null ? claimOf(object as Claims, name) : undefined;
}

function textAt(object: unknown, name: string): string | undefined {
  const value = objectAt(object, name);
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_TEXT ? value : undefined;
}
