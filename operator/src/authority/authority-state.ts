import type { CertificateAndKey, CertificateFacts } from './read-certificate.ts';

/** A certificate authority that can sign. */
export interface SigningAuthority extends CertificateAndKey {
  readonly facts: CertificateFacts;
}

/** Why a rotation is under way: the authority gets old, or a person asked for another one. */
export type RotationCause = 'Planned' | 'ByHand';

/** The authorities of the Secret `largepayload-ca`. There is never a next and a previous one at the same time. */
export interface AuthorityState {
  /** signs */
  readonly current: SigningAuthority;
  /** published, and signs later */
  readonly next?: SigningAuthority | undefined;
  /** has signed before, and is still published */
  readonly previous?: CertificateFacts | undefined;
  /** since when the Secret has these authorities, ms since the epoch; `undefined`: it cannot be read */
  readonly since: number | undefined;
  /** of the rotation under way */
  readonly cause?: RotationCause | undefined;
  /** a text that a person changes to ask for another authority */
  readonly requested?: string | undefined;
  /** the request that was carried out last, or is being carried out */
  readonly answered?: string | undefined;
}

/** The certificates that clients trust, as PEM. Their order does not change when another one of them signs. */
export function bundleOf({ current, next, previous }: AuthorityState): string {
  const published = [current.facts, next?.facts, previous].filter((facts) => facts !== undefined);
  return published
    .toSorted(
      (one, other) => one.notBefore - other.notBefore || (one.fingerprint < other.fingerprint ? -1 : 1),
    )
    .map(({ pem }) => pem)
    .join('');
}
