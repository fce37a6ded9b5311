import { longestToken } from '@largepayload/codec/files/token-and-authorities';
import { isWithinBounds } from '../../http/bounded-json.ts';
import { refused } from '../token-refused.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** What a token says of itself. None of it is verified. */
export interface TokenParts {
  readonly header: Claims;
  readonly claims: Claims;
}

/**
 * Code that goes through a value calls itself for each level, and fails on thousands of them; and each item takes memory for as
 * long as the token is remembered. A pod's token has three levels and 20 items; the lists of groups that issuers write have
 * some hundred.
 */
const BOUNDS = { depth: 32, items: 1_024 };

/** The compact form (RFC 7515, 7.1). */
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
/** An encrypted token has five parts (RFC 7516, 7.1). */
const ENCRYPTED = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}$/;

/** @throws ServiceError `token_refused` for what is too long, or no signed token */
export function readToken(token: string): TokenParts {
  if (!COMPACT.test(token)) {
    throw refused(
      ENCRYPTED.test(token)
        ? 'it is encrypted (JWE); this store takes signed tokens (JWS)'
        : 'it is no JSON Web Token',
    );
  }
  const [header = '', claims = ''] = token.split('.');
  return { header: objectOf(header, 'header'), claims: objectOf(claims, 'claims') };
}

/** Looks at nothing but the length. @throws ServiceError `token_refused` */
export function assertSize(token: string): void {
  if (token.length > longestToken) throw refused(`it has more than ${longestToken / 1024} KiB`);
}

/** A claim that the token itself has, and no property that every object has. */
export function claimOf(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

function objectOf(part: string, what: string): Claims {
  try {
    const bytes = Buffer.from(part, 'base64url');
    const value: unknown = isWithinBounds(bytes, BOUNDS) ? JSON.parse(bytes.toString()) : undefined;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Claims;
  } catch {
    // The error of the parser would quote the token.
  }
  throw refused(`its ${what} cannot be read`);
}
