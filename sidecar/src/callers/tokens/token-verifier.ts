import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { FairBudget } from '../../http/fair-budget.ts';
import type { IssuerKey } from '../keys/key-document.ts';
import type { KeySet } from '../keys/key-set.ts';
import { refused } from '../token-refused.ts';
import { LEEWAY_SECONDS, verifyToken } from './jose.ts';
import { assertClaims, assertHeader, shown } from './token-checks.ts';
import { assertSize, type Claims, claimOf, readToken } from './token-parts.ts';

/** An issuer whose tokens are taken, if they are for one audience. */
export interface TrustedIssuer {
  readonly kind: 'kubernetes' | 'oidc';
  readonly keys: KeySet;
  readonly audience: string;
}

export interface VerifiedToken {
  readonly issuer: TrustedIssuer;
  readonly claims: Claims;
}

interface Remembered extends VerifiedToken {
  readonly key: IssuerKey;
  /** s since the epoch */
  readonly expires: number;
}

/** Tokens; a pod has one for some minutes. Those of Kubernetes have 1 to 2 KiB; of larger ones, fewer are remembered. */
const MOST_REMEMBERED = { max: 4_096, maxSize: 8 * 1024 * 1024 };
/**
 * A signature takes 50 to 100 µs of a thread that files need too. So a flood of tokens with wrong signatures takes two of the
 * four threads, its addresses wait in line, and a token that was verified before does not.
 */
const LINE = { limit: 2, mostWaiting: 256, waitTimeMs: 3_000 };

/** Verifies tokens, and remembers those that are right until they expire. */
export class TokenVerifier {
  readonly issuers: readonly TrustedIssuer[];
  readonly #verified = new LRUCache<string, Remembered>(MOST_REMEMBERED);
  readonly #underWay = new Map<string, Promise<VerifiedToken>>();
  readonly #line = new FairBudget(LINE);
  readonly #now: () => number;

  /** @param now s since the epoch */
  constructor(issuers: readonly TrustedIssuer[], now = () => Date.now() / 1_000) {
    this.issuers = issuers;
    this.#now = now;
  }

  /**
   * At once for a token that was verified before.
   * @param peer whose place in line the verification takes
   * @throws ServiceError `token_refused`, `token_keys_unavailable`, `busy`
   */
  verify(token: string, peer: string): VerifiedToken | Promise<VerifiedToken> {
    assertSize(token);
    const digest = hash('sha256', token, 'base64url');
    const remembered = this.#verified.get(digest);
    if (remembered !== undefined && this.#isStillRight(remembered)) return remembered;
    const underWay = this.#underWay.get(digest);
    if (underWay !== undefined) return underWay;
    const verifying = this.#verify(token, digest, peer).finally(() => this.#underWay.delete(digest));
    this.#underWay.set(digest, verifying);
    return verifying;
  }

  #isStillRight({ issuer, key, expires }: Remembered): boolean {
    return this.#now() < expires + LEEWAY_SECONDS && issuer.keys.holds(key);
  }

  async #verify(token: string, digest: string, peer: string): Promise<VerifiedToken> {
    const parts = readToken(token);
    assertHeader(parts);
    const issuer = await this.#issuerOf(parts.claims);
    assertClaims(parts, issuer.audience, this.#now());
    const key = await issuer.keys.find(parts.header.kid as string);
    if (key.algorithm !== undefined && key.algorithm !== parts.header.alg)
      throw refused(`its algorithm (alg) is ${shown(parts.header.alg)}; its key is for ${key.algorithm}`);
    const release = await this.#line.reserve(peer, 1, NEVER);
    try {
      const expected = { issuer: parts.claims.iss as string, audience: issuer.audience };
      const claims = await verifyToken(token, key.key, expected);
      const verified = { issuer, claims, key, expires: claims.exp as number };
      this.#verified.set(digest, verified, { size: token.length });
      return verified;
    } finally {
      release();
    }
  }

  /** Of several with one name, the one whose audience the token has. */
  async #issuerOf(claims: Claims): Promise<TrustedIssuer> {
    const iss = claimOf(claims, 'iss');
    const aud = claimOf(claims, 'aud');
    const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
    const named = () => this.issuers.filter(({ keys }) => keys.issuer !== undefined && keys.issuer === iss);
    if (named().length === 0) {
      // The name of an issuer may be known only with its keys.
      for (const { keys } of this.issuers) if (keys.issuer === undefined) await keys.load();
    }
    const candidates = named();
    const issuer = candidates.find(({ audience }) => audiences.includes(audience)) ?? candidates[0];
    if (issuer !== undefined) return issuer;
    const known = this.issuers.map(({ keys }) => keys.issuer).join(', ');
    throw refused(`its issuer (iss) is ${shown(iss)}; this store takes ${known}`);
  }
}

/** A verification is short, and others may wait for the same. */
const NEVER = new AbortController().signal;
