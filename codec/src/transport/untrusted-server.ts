import { PayloadStoreUnavailableError } from '../wire/errors.ts';

/** What OpenSSL and Node find wrong with a server's certificate, and how to put it right. */
const faults: readonly (readonly [codes: RegExp, problem: string, fix: string])[] = [
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$|^HOSTNAME_MISMATCH$/,
    'the certificate is not for this host',
    "use a URL with a name of the certificate, or add the host to the store's spec.gateway.dnsNames",
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    'the certificate, or the one of its authority, has expired',
    'check the clock of this machine, and whether the operator runs, which renews the certificate',
  ],
  [/^CERT_NOT_YET_VALID$/, 'the certificate is not valid yet', 'check the clock of this machine'],
  [
    /^(DEPTH_ZERO_)?SELF_SIGNED_CERT|^UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)|^CERT_(UNTRUSTED|SIGNATURE_FAILURE)$|^INVALID_CA$/,
    'the certificate is not from a trusted authority',
    "give the authority's certificates as caFile (LARGE_PAYLOAD_SERVICE_CA_FILE): ca.crt of the store's ConfigMap NAME-ca",
  ],
  [
    /^CERT_|^INVALID_PURPOSE$|^PATH_LENGTH_EXCEEDED$/,
    'the certificate cannot be trusted',
    'see the cause for what is wrong with it',
  ],
];

/**
 * The error for a server whose certificate is not trusted; undefined for any other failure. It can heal: certificates and
 * files of authorities are renewed.
 */
export function untrustedServer(
  cause: Error,
  host: string,
  key: string | undefined,
): PayloadStoreUnavailableError | undefined {
  const { code } = cause as NodeJS.ErrnoException;
  const fault = faults.find(([codes]) => codes.test(code ?? ''));
  if (fault === undefined) return undefined;
  const [, problem, fix] = fault;
  return new PayloadStoreUnavailableError(
    `the blob service at ${host} is not trusted: ${problem} (${code}); ${fix}`,
    { key, code: 'gateway_untrusted', cause },
  );
}
