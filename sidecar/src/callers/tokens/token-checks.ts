import { excerpt } from '../../errors/excerpt.ts';
import { refused } from '../token-refused.ts';
import { ALGORITHMS, LEEWAY_SECONDS } from './jose.ts';
import { claimOf, type TokenParts } from './token-parts.ts';

/** What a token can be refused for before its signature is verified, which costs a hundred times as much. */
interface Facts extends TokenParts {
  readonly audience: string;
  /** s since the epoch */
  readonly now: number;
}

/** Continues `the token is refused: `; `undefined`: nothing is wrong. */
type Check = (facts: Facts) => string | undefined;

const algorithm: Check = ({ header }) => {
  const alg = claimOf(header, 'alg');
  if (typeof alg === 'string' && ALGORITHMS.includes(alg)) return undefined;
  return `its algorithm (alg) is ${shown(alg)}; this store takes ${ALGORITHMS.join(', ')}`;
};

/** RFC 7515, 4.1.11: who does not understand an extension refuses the token. We understand none. */
const extensions: Check = ({ header }) =>
  claimOf(header, 'crit') === undefined ? undefined : 'it asks for extensions (crit) that are not known';

const keyName: Check = ({ header }) => {
  const kid = claimOf(header, 'kid');
  return typeof kid === 'string' && kid !== '' ? undefined : 'it does not name its key (kid)';
};

/** RFC 7519, 4.1.3: a text, or a list of texts. */
const audience: Check = ({ claims, audience: ours }) => {
  const aud = claimOf(claims, 'aud');
  if (aud === ours || (Array.isArray(aud) && aud.includes(ours))) return undefined;
  return `its audience (aud) is ${shown(aud)}; this store takes ${excerpt(ours)}`;
};

const expiry: Check = ({ claims, now }) => {
  const exp = claimOf(claims, 'exp');
  if (!isTime(exp)) return 'it does not say when it expires (exp)';
  if (exp > now - LEEWAY_SECONDS) return undefined;
  return `it expired at ${timeOf(exp)} (exp); the clock here shows ${timeOf(now)}`;
};

const begin: Check = ({ claims, now }) => {
  const nbf = claimOf(claims, 'nbf');
  if (nbf === undefined) return undefined;
  if (!isTime(nbf)) return 'its claim nbf is no time';
  if (nbf <= now + LEEWAY_SECONDS) return undefined;
  return `it is valid from ${timeOf(nbf)} on (nbf); the clock here shows ${timeOf(now)}`;
};

const HEADER_CHECKS: readonly Check[] = [algorithm, extensions, keyName];
const CLAIM_CHECKS: readonly Check[] = [audience, expiry, begin];

/** @throws ServiceError `token_refused` */
export function assertHeader(token: TokenParts): void {
  assert(HEADER_CHECKS, { ...token, audience: '', now: 0 });
}

/** @throws ServiceError `token_refused` */
export function assertClaims(token: TokenParts, ours: string, now: number): void {
  assert(CLAIM_CHECKS, { ...token, audience: ours, now });
}

function assert(checks: readonly Check[], facts: Facts): void {
  for (const check of checks) {
    const fault = check(facts);
    if (fault !== undefined) throw refused(fault);
  }
}

/** A claim for a message. */
export function shown(claim: unknown): string {
  if (claim === undefined) return 'missing';
  return typeof claim === 'string' ? excerpt(claim) : JSON.stringify(claim).slice(0, 100);
}

/** A NumericDate (RFC 7519, 2) that JavaScript has a date for. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= 8.64e12;
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
