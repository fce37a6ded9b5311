/** The certificate that a namespace should have. */
export interface CertificateRequest {
  readonly namespace: string;
  readonly names: readonly string[];
  /** A resource of the namespace cannot be read: names that a certificate has may be its, and stay. */
  readonly keepsNames: boolean;
}

/** What is known of the certificate of a namespace. */
export interface CertificateStatus {
  /** a sentence for people; `undefined`: it is as it should be */
  readonly problem?: string | undefined;
  /** ms since the epoch; `undefined`: not known */
  readonly notAfter?: number | undefined;
  /** fingerprint of the authority, other than which none has signed a certificate of ours here */
  readonly authority?: string | undefined;
}

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
   * @param isReplaced whether every certificate in use is known to be of the authority with this fingerprint
   * @returns whether to call it again at once
   */
  lookAtAuthority(isReplaced: (fingerprint: string) => boolean, signal: AbortSignal): Promise<boolean>;
  /** Makes the certificate if there is none, or one that is not as it should be. */
  settle(request: CertificateRequest, signal: AbortSignal): Promise<CertificateStatus>;
  /** Removes it, if it was made here. */
  remove(namespace: string, signal: AbortSignal): Promise<void>;
}
