import { X509Certificate } from 'node:crypto';

/** Bytes: what a client shows and a gateway takes. Tokens of Kubernetes have 1 to 2 KiB. */
export const longestToken = 16 * 1024;
/** Bytes of the largest ConfigMap. */
export const largestAuthorities = 1024 * 1024;

/** RFC 6750, 2.1: the syntax of a bearer token. */
const tokenSyntax = /^[A-Za-z0-9._~+/-]+=*$/;
const begin = /-----BEGIN CERTIFICATE-----/g;
const wholeCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The token in the text of a file. @throws Error that says what is wrong, and quotes nothing: the text may be a secret */
export function tokenIn(text: string): string {
  const token = text.trim();
  if (token === '') throw new Error('it is empty');
  if (/[\r\n]/.test(token)) throw new Error('it has more than one line');
  if (!tokenSyntax.test(token)) throw new Error('it has characters that no token has');
  return token;
}

/** The certificates (PEM) in the text of a file, without the text between them. @throws Error that says what is wrong */
export function certificatesIn(text: string): string[] {
  if (text.trim() === '') throw new Error('it is empty');
  const certificates = text.match(wholeCertificate) ?? [];
  const begun = text.match(begin) ?? [];
  if (begun.length === 0) throw new Error('it has no certificate in PEM');
  // A slow writer may have written a part so far.
  if (begun.length !== certificates.length) throw new Error('it has a certificate that is cut off');
  for (const certificate of certificates) assertCertificate(certificate);
  return certificates;
}

/** OpenSSL ignores an authority that it cannot read. */
function assertCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw new Error('it has a certificate that cannot be read', { cause });
  }
}
