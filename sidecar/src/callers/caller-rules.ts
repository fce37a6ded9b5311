import type { LargePayloadStore } from '@largepayload/crds';
import type { Identity, OidcIdentity } from './caller-identity.ts';
import { claimOf } from './tokens/token-parts.ts';

type Spec = LargePayloadStore['spec'];
type CallerEntry = NonNullable<Spec['callers']>[number];

/** A store, and what its manifest says of who may use it, and for what. */
export interface StorePolicy {
  /** of Kubernetes */
  readonly namespace: string;
  readonly name: string;
  readonly spec: Pick<Spec, 'allowedNamespaces' | 'temporalNamespaces' | 'callers'> & {
    readonly gateway: Pick<Spec['gateway'], 'oidc'>;
  };
}

/** Temporal namespaces; `undefined`: any. */
export type ServedNamespaces = ReadonlySet<string> | undefined;

/** The Temporal namespaces whose payloads a caller may get, and put, as far as it is concerned. The store may serve fewer. */
export interface Rights {
  readonly read: ServedNamespaces;
  readonly write: ServedNamespaces;
}

export const ALL_RIGHTS: Rights = { read: undefined, write: undefined };

/** Why a caller may not use the store at all, with what has to be changed; `undefined`: nothing is wrong. */
type Rule = (identity: Identity, policy: StorePolicy) => string | undefined;

const foreignNamespace: Rule = (identity, { namespace, name, spec: { allowedNamespaces = [] } }) => {
  if (identity.kind !== 'kubernetes') return undefined;
  if (identity.namespace === namespace || allowedNamespaces.includes(identity.namespace)) return undefined;
  return `${identity.name} may not use the store ${namespace}/${name}; add the namespace ${identity.namespace} to spec.allowedNamespaces of it, if it should`;
};

const otherClaims: Rule = (identity, { spec }) => {
  if (identity.kind !== 'oidc') return undefined;
  const entry = spec.gateway.oidc?.find(({ issuer }) => issuer === identity.issuer);
  const claim = differentClaim(identity, entry?.requiredClaims);
  if (claim === undefined) return undefined;
  return `${identity.name} may not use this store: its token has another ${claim} than spec.gateway.oidc requires`;
};

const inNoEntry: Rule = (identity, policy) => {
  if (entriesFor(identity, policy)?.length !== 0) return undefined;
  return `no entry of spec.callers admits ${identity.name}; add one, if it should use the store ${policy.namespace}/${policy.name}`;
};

const RULES: readonly Rule[] = [foreignNamespace, otherClaims, inNoEntry];

/** Why a caller may not use the store at all; `undefined`: it may. */
export function denialOf(identity: Identity, policy: StorePolicy): string | undefined {
  for (const rule of RULES) {
    const denial = rule(identity, policy);
    if (denial !== undefined) return denial;
  }
  return undefined;
}

/** What a caller that is not denied may do: the rights of all entries that admit it. */
export function rightsOf(identity: Identity, policy: StorePolicy): Rights {
  const entries = entriesFor(identity, policy);
  if (entries === undefined) return ALL_RIGHTS;
  return { read: union(entries), write: union(entries.filter(({ access }) => access !== 'Read')) };
}

function union(entries: readonly CallerEntry[]): ServedNamespaces {
  const namespaces = new Set<string>();
  for (const { temporalNamespaces } of entries) {
    if (temporalNamespaces === undefined) return undefined;
    for (const namespace of temporalNamespaces) namespaces.add(namespace);
  }
  return namespaces;
}

/** The entries that admit a caller; `undefined`: there are no entries, and each caller is admitted. */
function entriesFor(identity: Identity, { spec }: StorePolicy): readonly CallerEntry[] | undefined {
  return spec.callers?.filter((entry) => admits(entry, identity));
}

function admits({ namespaces, serviceAccounts, oidc }: CallerEntry, identity: Identity): boolean {
  if (identity.kind === 'oidc')
    return oidc?.issuer === identity.issuer && differentClaim(identity, oidc.claims) === undefined;
  return (
    namespaces?.includes(identity.namespace) === true ||
    serviceAccounts?.includes(identity.serviceAccount) === true
  );
}

/** The first claim that does not have the value; `undefined`: all have. Only a text can have it. */
function differentClaim(
  { claims }: OidcIdentity,
  wanted: Readonly<Record<string, string>> = {},
): string | undefined {
  return Object.keys(wanted).find((name) => claimOf(claims, name) !== wanted[name]);
}
