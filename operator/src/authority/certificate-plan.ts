import { type CertificateFacts, isSignedBy, readPair } from './read-certificate.ts';

const DAY_MS = 86_400_000;

export const CERTIFICATE_LIFE_MS = 180 * DAY_MS;
/** A certificate has 45 days left at any time, although the operator may be away for a month before it is renewed. */
export const RENEWED_BEFORE_END_MS = 90 * DAY_MS;
/** Clocks of clients may be behind by as much. */
const BACKDATED_MS = 5 * 60_000;
/** A renewal has to bring that much: a certificate never outlives the authority that signs it. */
const LEAST_GAIN_MS = DAY_MS;

/** A certificate as it was found, or why there is none that can be used. */
export type FoundCertificate =
  | 'Missing'
  | 'Damaged'
  | {
      readonly facts: CertificateFacts /** whether the authority that signs now has signed it */;
      readonly isOfAuthority: boolean;
    };

export interface WantedCertificate {
  readonly names: readonly string[];
  /** the authority that signs now */
  readonly authority: Lifetime;
}

/** Why a certificate is made. */
export type IssueReason = 'Missing' | 'Damaged' | 'OtherAuthority' | 'OtherNames' | 'NotYetValid' | 'Old';

/** Why a certificate is to be made in place of what was found; `undefined`: that is as it should be. Times are ms since the epoch. */
export function reasonToIssue(
  found: FoundCertificate,
  { names, authority }: WantedCertificate,
  now: number,
): IssueReason | undefined {
  if (typeof found === 'string') return found;
  const { facts, isOfAuthority } = found;
  if (!isOfAuthority) return 'OtherAuthority';
  if (!isSameSet(facts.names, names)) return 'OtherNames';
  if (facts.notBefore > now) return 'NotYetValid';
  return isOld(facts, authority, now) ? 'Old' : undefined;
}

/** @param found `tls.crt` and `tls.key` as PEM */
export function findCertificate(
  found: { readonly certificate: string | undefined; readonly key: string | undefined } | undefined,
  authority: CertificateFacts,
): FoundCertificate {
  if (found?.certificate === undefined) return 'Missing';
  const { certificate, key = '' } = found;
  try {
    const facts = readPair({ certificate, key });
    return { facts, isOfAuthority: isSignedBy(facts, authority) };
  } catch {
    return 'Damaged';
  }
}

/** ms since the epoch */
export type Lifetime = Pick<CertificateFacts, 'notBefore' | 'notAfter'>;

/** Of a certificate that is made now. */
export function certificateLifetime(authority: Lifetime, now: number): Lifetime {
  return { notBefore: now - BACKDATED_MS, notAfter: Math.min(now + CERTIFICATE_LIFE_MS, authority.notAfter) };
}

/** When a certificate of ours was made, ms since the epoch. */
export function issuedAt(notBefore: number): number {
  return notBefore + BACKDATED_MS;
}

function isOld({ notAfter }: Lifetime, authority: Lifetime, now: number): boolean {
  const gain = certificateLifetime(authority, now).notAfter - notAfter;
  return notAfter - now < RENEWED_BEFORE_END_MS && gain >= LEAST_GAIN_MS;
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  const names = new Set(one);
  return names.size === new Set(other).size && other.every((name) => names.has(name));
}
