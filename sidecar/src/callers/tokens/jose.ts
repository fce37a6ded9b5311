import type { KeyObject } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { refused } from '../token-refused.ts';
import type { Claims } from './token-parts.ts';

/**
 * The algorithms that a token may have, all of them with a pair of keys (RFC 7518, 3.1; RFC 8037, 3.1). With `none` and `HS256`
 * a caller could sign without a secret.
 */
export const ALGORITHMS: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** By how much the clock of an issuer may differ from ours: as much as those of two processes of a store. s */
export const LEEWAY_SECONDS = 60;

export interface Expected {
  readonly issuer: string;
  readonly audience: string;
}

/**
 * The claims of a token whose signature, issuer, audience and times are right.
 * @throws ServiceError `token_refused`
 */
export async function verifyToken(token: string, key: KeyObject, expected: Expected): Promise<Claims> {
  try {
    const { payload } = await jwtVerify(token, key, {
      ...expected,
      algorithms: [...ALGORITHMS],
      requiredClaims: ['exp'],
      clockTolerance: LEEWAY_SECONDS,
    });
    return payload;
  } catch (error) {
    throw refused(faultOf(error));
  }
}

/** Errors of the library have the claims of the token in them, so only their code is used. */
function faultOf(error: unknown): string {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  if (error instanceof errors.JWTExpired) return 'it has expired (exp)';
  if (error instanceof errors.JWTClaimValidationFailed) return `its claim ${error.claim} is wrong`;
  return 'it cannot be verified with the key that it names (kid)';
}
