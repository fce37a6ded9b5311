import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { excerpt } from '../../errors/excerpt.ts';

/** A public key of an issuer. */
export interface IssuerKey {
  readonly id: string;
  readonly key: KeyObject;
  /** the only algorithm that it is meant for; `undefined`: any of its type */
  readonly algorithm: string | undefined;
}

export interface ReadKeys {
  readonly keys: ReadonlyMap<string, IssuerKey>;
  /** why keys were left out: a line for each, the first ones of many */
  readonly leftOut: readonly string[];
}

/** Issuers have two to ten. */
const MOST_KEYS = 64;
const MOST_LEFT_OUT = 8;
const LONGEST_ID = 256;
/** NIST SP 800-131A, and RFC 7518, 3.3. */
const LEAST_RSA_BITS = 2_048;
/** A signature costs the more the longer its key is: 10 times as much with 8,192 bits as with 2,048. */
const MOST_RSA_BITS = 8_192;
const CURVES: readonly unknown[] = ['prime256v1', 'secp384r1', 'secp521r1'];
/** What a key has that must be kept secret (RFC 7518, 6.2.2, 6.3.2 and 6.4). */
const SECRETS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

type Jwk = Readonly<Record<string, unknown>>;

/**
 * The keys of a JSON Web Key Set (RFC 7517, 5) by which tokens can be verified. Others are left out.
 * @throws Error when there is none
 */
export function readKeys(document: unknown): ReadKeys {
  const list = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) throw new Error('it is no JSON Web Key Set: it has no list "keys"');
  if (list.length > MOST_KEYS) throw new Error(`it has ${list.length} keys; ${MOST_KEYS} are allowed`);
  const keys = new Map<string, IssuerKey>();
  const leftOut: string[] = [];
  for (const [at, jwk] of list.entries()) {
    const read = readKey(jwk, keys);
    if (typeof read === 'string') leftOut.push(`key ${at + 1} ${read}`);
    else if (read !== undefined) keys.set(read.id, read);
  }
  if (keys.size === 0) throw new Error(['it has no key for signatures', ...leftOut.slice(0, 1)].join(': '));
  return { keys, leftOut: leftOut.slice(0, MOST_LEFT_OUT) };
}

/** A key, why it cannot be used, or `undefined` for one that is not meant for signatures. */
function readKey(jwk: unknown, before: ReadonlyMap<string, IssuerKey>): IssuerKey | string | undefined {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return 'is no object';
  const { kid, use, key_ops: operations, alg } = jwk as Jwk;
  if (use !== undefined && use !== 'sig') return undefined;
  if (Array.isArray(operations) && !operations.includes('verify')) return undefined;
  if (typeof kid !== 'string' || kid === '' || kid.length > LONGEST_ID) return 'has no name (kid)';
  const name = `(kid ${excerpt(kid)})`;
  if (before.has(kid)) return `${name} has the name of one before it`;
  const secret = SECRETS.find((part) => Object.hasOwn(jwk, part));
  if (secret !== undefined) return `${name} is a secret, which must not be published (it has "${secret}")`;
  if (alg !== undefined && typeof alg !== 'string') return `${name} has an algorithm (alg) that is no text`;
  const key = publicKeyOf(jwk as JsonWebKey);
  if (typeof key === 'string') return `${name} ${key}`;
  return { id: kid, key, algorithm: alg };
}

/** The key, or why it cannot be used. */
function publicKeyOf(jwk: JsonWebKey): KeyObject | string {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return 'is no public key of RSA or of a curve';
  }
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if (modulusLength < LEAST_RSA_BITS) return `is too weak: RSA with ${modulusLength} bits`;
      if (modulusLength > MOST_RSA_BITS) return `is too long: RSA with ${modulusLength} bits`;
      return publicExponent < 3n || publicExponent > 0xffffffffn
        ? 'has an exponent that no RSA key has'
        : key;
    case 'ec':
      return CURVES.includes(namedCurve) ? key : `is of the curve ${namedCurve}`;
    case 'ed25519':
      return key;
    default:
      return `is of the type ${key.asymmetricKeyType}`;
  }
}
