import { X509Certificate } from 'node:crypto';
import { ServiceError } from '../../errors/service-error.ts';
import type { Log } from '../../log/log.ts';
import { WatchedFile } from './watched-file.ts';

/** The largest ConfigMap. */
const LARGEST_BUNDLE = 1024 * 1024;
const BEGIN = /-----BEGIN CERTIFICATE-----/g;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The authorities that may vouch for the gateway. Failures are `ca_unreadable`. */
export function caFile(file: string, log: Log): WatchedFile {
  const failure = (problem: string, cause: unknown) =>
    new ServiceError(
      'ca_unreadable',
      `the CA file ${file} cannot be used: ${problem}; mount ca.crt of the store's CA ConfigMap there, or correct --ca-file`,
      { cause },
    );
  return new WatchedFile({ file, mostBytes: LARGEST_BUNDLE, parse: parseBundle, failure }, log);
}

/** Its certificates in PEM, without what stands between them. @throws Error that says what is wrong */
export function parseBundle(text: string): string {
  if (text.trim() === '') throw new Error('it is empty');
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new Error('it has no certificate in PEM');
  // What a slow writer has written so far, for example.
  if (text.match(BEGIN)?.length !== certificates.length)
    throw new Error('it has a certificate that is cut off');
  for (const certificate of certificates) assertCertificate(certificate);
  return `${certificates.join('\n')}\n`;
}

function assertCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw new Error('it has a certificate that cannot be read', { cause });
  }
}
