import {
  publicJwk,
  type SigningKey,
  serviceAccountClaims,
  signingKey,
} from '@largepayload/testing/tokens/token-issuer';
import { readKeys } from '../keys/key-document.ts';
import { KeySet, type KeySetTimes } from '../keys/key-set.ts';
import { TokenVerifier, type TrustedIssuer } from './token-verifier.ts';

export const CLUSTER = 'https://kubernetes.default.svc.cluster.local';
export const STORE = 'payments/documents';
export const AUDIENCE = `largepayload.dev/${STORE}`;

const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

/** An issuer without a server. */
export interface MemoryIssuer {
  readonly keys: KeySet;
  /** what it publishes; the last one signs */
  readonly published: SigningKey[];
  /** how often it was asked */
  asked: number;
  /** what it answers with in place of its keys */
  failure: Error | undefined;
  /** what an answer waits for */
  gate: Promise<void>;
  key(): SigningKey;
}

export function memoryIssuer(
  issuer: string = CLUSTER,
  times: Partial<KeySetTimes> = {},
  keys: readonly SigningKey[] = [signingKey()],
): MemoryIssuer {
  const published = [...keys];
  const load = async () => {
    memory.asked += 1;
    await memory.gate;
    if (memory.failure !== undefined) throw memory.failure;
    return { issuer, ...readKeys({ keys: memory.published.map(publicJwk) }) };
  };
  const memory: MemoryIssuer = {
    keys: new KeySet({ name: issuer, issuer: undefined, load }, SILENT, times),
    ...{ published, asked: 0, failure: undefined, gate: Promise.resolve() },
    key: () => published.at(-1) as SigningKey,
  };
  return memory;
}

export function clusterIssuer({ keys }: MemoryIssuer): TrustedIssuer {
  return { kind: 'kubernetes', audience: AUDIENCE, keys };
}

/** Of a store that takes tokens of a cluster. */
export function verifierOf(memory: MemoryIssuer, now?: () => number): TokenVerifier {
  return new TokenVerifier([clusterIssuer(memory)], now);
}

/** The claims of a pod of the store's namespace. @param changes instead of the claims that they would have */
export function podClaims(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ...serviceAccountClaims(CLUSTER, { store: STORE }), ...changes };
}
