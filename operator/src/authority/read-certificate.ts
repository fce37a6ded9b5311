import { createPrivateKey, X509Certificate } from 'node:crypto';

/** A certificate and its private key, both as PEM. */
export interface CertificateAndKey {
  readonly certificate: string;
  readonly key: string;
}

/** What decisions need of a certificate. Times are ms since the epoch. */
export interface CertificateFacts {
  readonly pem: string;
  /** SHA-256 of the certificate, hexadecimal */
  readonly fingerprint: string;
  /** DNS names, in their order */
  readonly names: readonly string[];
  readonly notBefore: number;
  readonly notAfter: number;
  readonly isAuthority: boolean;
}

/** @throws Error that says what is wrong with the text, or that the key belongs to another certificate */
export function readPair({ certificate, key }: CertificateAndKey): CertificateFacts {
  const parsed = parse(certificate);
  let isOfIt: boolean;
  try {
    isOfIt = parsed.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    // The cause's message is OpenSSL's, and has nothing of the key.
    throw new Error(`the private key cannot be read: ${(cause as Error).message}`, { cause });
  }
  if (!isOfIt) throw new Error('the private key belongs to another certificate');
  return factsOf(parsed);
}

/** @throws Error when the text is no certificate */
export function readCertificate(certificate: string): CertificateFacts {
  return factsOf(parse(certificate));
}

/** Whether the authority has signed the certificate; says nothing about times. */
export function isSignedBy(certificate: CertificateFacts, authority: CertificateFacts): boolean {
  const issuer = new X509Certificate(authority.pem);
  const issued = new X509Certificate(certificate.pem);
  return issued.checkIssued(issuer) && issued.verify(issuer.publicKey);
}

function parse(certificate: string): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (cause) {
    throw new Error(`the certificate cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function factsOf(parsed: X509Certificate): CertificateFacts {
  return {
    pem: parsed.toString(),
    fingerprint: parsed.fingerprint256.replaceAll(':', '').toLowerCase(),
    names: namesOf(parsed.subjectAltName ?? ''),
    notBefore: parsed.validFromDate.getTime(),
    notAfter: parsed.validToDate.getTime(),
    isAuthority: parsed.ca,
  };
}

/** Node writes `DNS:a, DNS:b`, and other kinds of names in the same way. A DNS name has neither comma nor quote. */
function namesOf(subjectAltName: string): string[] {
  return subjectAltName.split(', ').flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : []));
}
