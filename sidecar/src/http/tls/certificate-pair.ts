import { createPrivateKey, X509Certificate } from 'node:crypto';
import { nodeTls } from '../../memory/modules-on-demand.ts';

/** A certificate with its key, as two texts in PEM. */
export interface PairTexts {
  /** the certificate of the server, then those between it and its authority, if any */
  readonly certificate: string;
  readonly key: string;
}

export interface CertificatePair extends PairTexts, Validity {
  /** the certificate of the server */
  readonly leaf: X509Certificate;
}

/** From when and until when it is valid; ms since 1970. */
interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** The pair cannot be used; the message names the file and what is wrong with it. */
export class CertificatePairError extends Error {}

/** @throws CertificatePairError when the texts are no certificate with its key, or a pair that OpenSSL refuses */
export function parsePair({ certificate, key }: PairTexts): CertificatePair {
  const leaf = parse('tls.crt is no certificate in PEM', () => new X509Certificate(certificate));
  const privateKey = parse('tls.key is no private key in PEM without a password', () =>
    createPrivateKey(key),
  );
  // A Secret is changed at once, but a folder that is written by hand has the new certificate before its key.
  if (!leaf.checkPrivateKey(privateKey))
    throw new CertificatePairError('tls.key is not the key of the certificate in tls.crt');
  parse('tls.crt and tls.key cannot be used', () =>
    nodeTls().createSecureContext({ cert: certificate, key }),
  );
  return {
    ...{ certificate, key, leaf },
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
  };
}

/**
 * A pair that clients refuse, as it has expired or is not valid yet, does not take the place of one that they take. Without such a
 * one it is served: clients then learn what is wrong, and refuse it themselves.
 * @throws CertificatePairError
 */
export function assertBetter(found: Validity, inUse: Validity | undefined, now: number): void {
  if (inUse === undefined) return;
  if (found.notAfter <= now && found.notAfter < inUse.notAfter)
    throw new CertificatePairError(`the certificate in tls.crt expired at ${isoTime(found.notAfter)}`);
  const isValid = inUse.notBefore <= now && now < inUse.notAfter;
  if (isValid && found.notBefore > now)
    throw new CertificatePairError(`the certificate in tls.crt is valid from ${isoTime(found.notBefore)} on`);
}

/** @param time ms since 1970 */
export function isoTime(time: number): string {
  return new Date(time).toISOString();
}

function parse<Result>(problem: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    // OpenSSL's messages name the fault, and no content.
    throw new CertificatePairError(`${problem}: ${(error as Error).message}`, { cause: error });
  }
}
