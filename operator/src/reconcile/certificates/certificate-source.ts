/** A certificate that should be in a namespace. */
export interface CertificateRequest {
  readonly namespace: string;
  /** name of its Secret; absent: that of the gateways of the namespace */
  readonly secret?: string;
  readonly names: readonly string[];
  /** how many names of its stores are more than a certificate has */
  readonly leftOut: number;
  /** A resource of the namespace cannot be read: names that a certificate has may be its, and stay. */
  readonly keepsNames: boolean;
}

/** What is known of the certificate of a namespace. */
export interface CertificateStatus {
  /** a sentence for people; `undefined`: it is as it should be */
  readonly problem?: string | undefined;
  /** when it was made, and when it expires, ms since the epoch; `undefined`: not known, or it is not ours */
  readonly issuedAt?: number | undefined;
  readonly notAfter?: number | undefined;
  /** fingerprint of the authority, other than which none has signed a certificate of ours here */
  readonly authority?: string | undefined;
}

export type ReplacedAt = (fingerprint: string) => number | undefined;

/** Who makes the certificates: the operator, or cert-manager for it. All methods throw `ApiError`, or the reason of the signal. */
export interface CertificateSource {
  /** What clients trust, as PEM; `undefined`: not known now, so what was published stays. */
  readonly bundle: string | undefined;
  /** why nothing can be made in any namespace, as a sentence for people */
  readonly problem: string | undefined;
  /** what signs now; its end is in ms since the epoch. `undefined`: not known */
  readonly authority: { readonly fingerprint: string; readonly notAfter: number } | undefined;
  /**
   * Called before the first certificate and then every minute.
   * @param replacedAt when the last certificate was made by which all are of the authority with this fingerprint, ms since the
   * epoch; `undefined`: some may be of another one
   * @returns whether to call it again at once
   */
  lookAtAuthority(replacedAt: ReplacedAt, signal: AbortSignal): Promise<boolean>;
  /** Makes the certificate if there is none, or one that is not as it should be. */
  settle(request: CertificateRequest, signal: AbortSignal): Promise<CertificateStatus>;
  /** Removes it, if it was made here. */
  remove(namespace: string, signal: AbortSignal): Promise<void>;
}
