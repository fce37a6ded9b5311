import type { LargePayloadStore } from '@largepayload/crds';
import type { FastifyBaseLogger } from 'fastify';
import { Callers } from '../callers/callers.ts';
import { KeySet } from '../callers/keys/key-set.ts';
import { clusterKeys, oidcKeys } from '../callers/keys/key-sources.ts';
import { TokenVerifier, type TrustedIssuer } from '../callers/tokens/token-verifier.ts';
import type { Metrics } from '../operations/metrics.ts';
import { authenticationOf, identityOf, policyOf } from './manifest-facts.ts';
import type { ServiceSettings } from './role.ts';

export interface GatewayCallers {
  /** Rejects with `token_keys_unavailable` while tokens are needed and those of pods cannot be verified. */
  check(): Promise<void>;
  /** for the data port */
  build(metrics: Metrics): Callers;
  close(): void;
}

/** Who may use a gateway, by its manifest. */
export function gatewayCallers(
  { manifest, cluster }: Pick<ServiceSettings, 'manifest' | 'cluster'>,
  log: FastifyBaseLogger,
): GatewayCallers {
  const authentication = authenticationOf(manifest);
  const policy = policyOf(manifest);
  const issuers = authentication === 'None' ? [] : issuersOf(manifest, cluster, log);
  const verifier = authentication === 'None' ? undefined : new TokenVerifier(issuers);
  const keySets = issuers.map(({ keys }) => keys);
  // Without the keys of an issuer elsewhere, only its own callers are refused. A store that takes callers without a token
  // does so without any keys.
  const needed = issuers.filter(({ kind }) => kind === 'kubernetes' && authentication === 'Token');
  const keyAges = () =>
    keySets.flatMap(({ name, ageMs }) =>
      ageMs === undefined ? [] : [{ issuer: name, seconds: ageMs / 1_000 }],
    );
  const namespaces = [policy.namespace, ...(policy.spec.allowedNamespaces ?? [])];
  return {
    check: async () => {
      for (const { keys } of needed) keys.assertLoaded();
    },
    build: (metrics) => {
      metrics.watchCallers({ authentication, namespaces, keyAges });
      for (const keys of keySets) keys.refresh();
      return new Callers({ authentication, policy, verifier }, metrics);
    },
    close: () => {
      for (const keys of keySets) keys.close();
    },
  };
}

function issuersOf(
  manifest: LargePayloadStore,
  cluster: ServiceSettings['cluster'],
  log: FastifyBaseLogger,
): TrustedIssuer[] {
  const { namespace, name } = identityOf(manifest);
  const elsewhere = (manifest.spec.gateway.oidc ?? []).map(
    ({ issuer, audience }): TrustedIssuer => ({
      kind: 'oidc',
      audience,
      keys: new KeySet(oidcKeys(issuer), log),
    }),
  );
  if (cluster === undefined) return elsewhere;
  const keys = new KeySet(clusterKeys(cluster), log);
  return [{ kind: 'kubernetes', audience: `largepayload.dev/${namespace}/${name}`, keys }, ...elsewhere];
}
