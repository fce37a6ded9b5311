import { Integer, Array as ListOf, Object as MapOf, Optional, String as Text, Unsafe } from 'typebox';
import { claimValues, issuer } from './callers.ts';
import { certificateName } from './dns-name.ts';
import { byteSize, computeResources, resourceName, secretReference, sizeWithin } from './fields.ts';
import type { Rule } from './node.ts';

/** How a gateway knows its callers. */
export const AUTHENTICATIONS = ['Token', 'Migrate', 'None'] as const;
export type Authentication = (typeof AUTHENTICATIONS)[number];

export const authentication = (description: string) =>
  Unsafe<Authentication>({ type: 'string', description, enum: [...AUTHENTICATIONS] });

/** Public issuers give every person a token for any audience, so an audience alone admits the whole world. */
const namesAClaim: Rule = {
  cel: 'self.size() > 0',
  message: 'name at least one claim: a public issuer gives every person a token for any audience',
  holds: (claims) => typeof claims !== 'object' || claims === null || Object.keys(claims).length > 0,
};

const Oidc = ListOf(
  MapOf({
    issuer: issuer(
      'Issuer of the tokens, exactly as their claim iss has it. Its keys are found by discovery.',
    ),
    audience: Text({
      description: 'Audience that the tokens must have (claim aud).',
      minLength: 1,
      maxLength: 256,
    }),
    requiredClaims: claimValues(
      'Claims that the tokens must have, with their values, such as repository_owner: acme.',
      namesAClaim,
    ),
  }),
  {
    description:
      'Issuers of OpenID Connect tokens for callers outside the cluster: CI, other clusters, laptops. A token of ' +
      'one of them is admitted like that of a pod; spec.callers narrows.',
    maxItems: 8,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['issuer'],
  },
);

export const GatewaySchema = MapOf(
  {
    replicas: Optional(
      Integer({
        description: 'Number of gateway pods. Default: 2, or 1 with filesystem storage.',
        format: 'int32',
        minimum: 1,
        maximum: 50,
      }),
    ),
    authentication: Optional(
      authentication(
        'How gateways know their callers. Token: every request needs a token, over TLS. Migrate: requests without a ' +
          'token, and plain HTTP, are admitted too, and counted. None: tokens are not looked at. ' +
          'Default: what is in force (status.authentication); for a new store Token, for a store of version 0.1 Migrate.',
      ),
    ),
    oidc: Optional(Oidc),
    dnsNames: Optional(
      ListOf(certificateName(), {
        description:
          "Further names in the gateways' certificate, for callers outside the cluster, such as payloads.example.com. " +
          'The names of the Services of its namespace are always in it.',
        maxItems: 16,
        'x-kubernetes-list-type': 'set',
      }),
    ),
    cacheSize: Optional(
      byteSize(
        'Memory of each gateway for a cache of payloads, from 1Mi to 16Gi, such as 64Mi. Default: no cache.',
        { rules: [sizeWithin('1Mi', '16Gi')] },
      ),
    ),
    serviceAccountName: Optional(
      resourceName('Service account of the pods, which must exist. Default: NAME-gateway, created.'),
    ),
    credentialsSecretRef: Optional(
      secretReference(
        'Storage credentials that may put, get and list; the keys are named as the environment variables of ' +
          "the provider's SDK: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary keys, AWS_SESSION_TOKEN. " +
          'Mounted as files and read again on change.',
      ),
    ),
    resources: Optional(computeResources('Compute resources of a gateway pod.')),
  },
  { description: 'The pods that put and get payloads.', default: {} },
);
