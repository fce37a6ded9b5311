import { Array as ListOf, Object as MapOf, Optional, String as Text, Unsafe } from 'typebox';
import { at } from '../json-fields.ts';
import { NAMESPACE_NAME } from './fields.ts';
import { has, type Rule, type SchemaNode } from './node.ts';

/** Kubernetes namespaces, each once. */
export const kubernetesNamespaces = (description: string, bounds: { readonly minItems?: number } = {}) =>
  ListOf(Text({ minLength: 1, maxLength: 63, ...NAMESPACE_NAME }), {
    description,
    ...bounds,
    maxItems: 64,
    'x-kubernetes-list-type': 'set',
  });

/** Temporal namespaces, each once. */
export const temporalNamespaces = (description: string) =>
  ListOf(Text({ minLength: 1, maxLength: 255 }), {
    description,
    minItems: 1,
    maxItems: 64,
    'x-kubernetes-list-type': 'set',
  });

/** Issuer of OpenID Connect tokens. An issuer has no query and no fragment (OpenID Connect Discovery 1.0, section 3). */
export const issuer = (description: string) =>
  Text({
    description,
    maxLength: 256,
    pattern: '^https://[a-zA-Z0-9.-]+(:[0-9]{1,5})?(/[a-zA-Z0-9._~%:/-]*)?$',
    expected: 'a URL that begins with https:// and has no query and no fragment',
  });

/** Claims of a token and the values that they must have. */
export const claimValues = (description: string, ...rules: Rule[]) =>
  Unsafe<Record<string, string>>({
    type: 'object',
    description,
    maxProperties: 16,
    additionalProperties: { type: 'string', minLength: 1, maxLength: 1_024 },
    rules,
  } satisfies SchemaNode);

const KINDS = ['namespaces', 'serviceAccounts', 'oidc'];

const exactlyOneKind: Rule = {
  cel: '[has(self.namespaces), has(self.serviceAccounts), has(self.oidc)].filter(k, k).size() == 1',
  message: 'exactly one of namespaces, serviceAccounts, oidc',
  holds: (caller) => KINDS.filter((kind) => has(caller, kind)).length === 1,
};

const ServiceAccount = Text({
  maxLength: 317,
  pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$',
  expected: 'NAMESPACE/NAME of a service account, such as orders/worker',
});

const Caller = MapOf(
  {
    namespaces: Optional(
      kubernetesNamespaces(
        'Pods of these Kubernetes namespaces. A namespace that is neither the own one of the store nor in ' +
          'spec.allowedNamespaces admits no pod.',
        { minItems: 1 },
      ),
    ),
    serviceAccounts: Optional(
      ListOf(ServiceAccount, {
        description:
          'Pods with these service accounts, as NAMESPACE/NAME. The namespace must be the own one of the store, or in ' +
          'spec.allowedNamespaces.',
        minItems: 1,
        maxItems: 64,
        'x-kubernetes-list-type': 'set',
      }),
    ),
    oidc: Optional(
      MapOf(
        {
          issuer: issuer('Issuer of the tokens: one of spec.gateway.oidc.'),
          claims: Optional(
            claimValues(
              'Claims of the token and their values, such as repository: acme/orders. Default: any.',
            ),
          ),
        },
        { description: 'Callers outside the cluster that show a token of this issuer, with these claims.' },
      ),
    ),
    temporalNamespaces: Optional(
      temporalNamespaces(
        'Temporal namespaces whose payloads these callers may use. Default: all that the store takes.',
      ),
    ),
    access: Unsafe<'Read' | 'ReadWrite'>({
      type: 'string',
      description: 'Whether these callers may get payloads only (Read), or also put them (ReadWrite).',
      enum: ['Read', 'ReadWrite'],
      default: 'ReadWrite',
    }),
  },
  { rules: [exactlyOneKind] },
);

export const CallersSchema = ListOf(Caller, {
  description:
    'Which callers may use this store, and how. A caller has the rights of all entries that match it, and a caller ' +
    'that no entry matches has none. Default: every pod of its own namespace and of spec.allowedNamespaces, and every ' +
    'caller that spec.gateway.oidc admits, may get and put payloads of all Temporal namespaces.',
  minItems: 1,
  maxItems: 64,
});

/** A token of another issuer is refused before callers are looked at, so such an entry would match no caller. */
export const issuersAreKnown: Rule = {
  cel:
    '!has(self.callers) || self.callers.all(c, !has(c.oidc) || ' +
    '(has(self.gateway.oidc) && self.gateway.oidc.exists(o, o.issuer == c.oidc.issuer)))',
  message: 'the issuer of a caller must be one of spec.gateway.oidc',
  field: 'callers',
  holds: (spec) => {
    const issuersAt = (list: unknown, ...path: string[]) =>
      Array.isArray(list) ? list.flatMap((entry) => at(entry, ...path) ?? []) : [];
    const known = new Set(issuersAt(at(spec, 'gateway', 'oidc'), 'issuer'));
    return issuersAt(at(spec, 'callers'), 'oidc', 'issuer').every((each) => known.has(each));
  },
};
