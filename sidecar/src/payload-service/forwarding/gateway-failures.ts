import { ServiceError } from '../../errors/service-error.ts';
import { BAD_ANSWER, isClosed, NOT_HTTP } from '../../http-client/errors.ts';

/** The connection was refused, is gone or hung: another one may lead to another gateway. */
const ELSEWHERE: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'EAI_AGAIN'],
]);
/** The reasons of OpenSSL and Node for refusing a certificate: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/ */
const CERTIFICATE_FAULT =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|ERR_TLS_CERT|INVALID_(CA|PURPOSE|EXTENSION)|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERROR_IN_CERT)/;
const TLS_FAULT = /^(EPROTO$|ERR_SSL_)/;

const ADVICE: readonly [when: RegExp, advice: string][] = [
  [/EXPIRED/, "the certificate has expired; renew it, or set this machine's clock"],
  [/NOT_YET_VALID/, "the certificate is not valid yet; set this machine's clock, or the issuer's"],
  [/ALTNAME|HOSTNAME/, 'the certificate is for other names; use a URL with one of its names'],
  [CERTIFICATE_FAULT, 'no authority of the CA file vouches for the certificate; check --ca-file'],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH/, 'the server does not speak TLS; check the port of --gateway-url'],
  [/VERSION/, 'the server does not speak TLS 1.3'],
  [/ALERT_HANDSHAKE_FAILURE/, 'the server has no certificate yet; check that the gateway is ready'],
  [TLS_FAULT, 'TLS failed; check --gateway-url'],
];

export function isCertificateFault(error: unknown): boolean {
  return CERTIFICATE_FAULT.test(codeOf(error));
}

/** Whether the same request may succeed on another connection at once. */
export function mayBeElsewhere(error: unknown): boolean {
  if (error instanceof ServiceError) return error.code === 'draining';
  return isClosed(error) || ELSEWHERE.has(codeOf(error));
}

/** Whether the gateway refused the token, so that a newer one may be taken. */
export function isTokenFault(error: unknown): boolean {
  return error instanceof ServiceError && ['token_missing', 'token_refused'].includes(error.code);
}

/**
 * The failure as the worker gets it. An error of the gateway, or of the worker's own request, stays as it is.
 * @param gateway its URL
 */
export function failureOf(error: unknown, gateway: string): unknown {
  if (error instanceof ServiceError) return error;
  const code = codeOf(error);
  if (code === '') return error;
  const advice = ADVICE.find(([when]) => when.test(code))?.[1];
  if (advice !== undefined) {
    const message = `the gateway ${gateway} cannot be trusted: ${advice} (${code})`;
    return new ServiceError('gateway_untrusted', message, { cause: error });
  }
  const { message } = error as Error;
  const text =
    code === BAD_ANSWER || code === NOT_HTTP
      ? `what answers at ${gateway} is no gateway, perhaps a proxy: ${message}; check --gateway-url`
      : `the gateway ${gateway} cannot be reached: ${message}; check that its pods are ready, --gateway-url and network policies`;
  return new ServiceError('gateway_unreachable', text, { cause: error });
}

function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') return code;
  return cause === undefined || cause === null ? '' : codeOf(cause);
}
