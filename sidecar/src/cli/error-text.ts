/** What a command says about its failure: in our words where the cause is a library's that only experts understand. */
export function errorText(error: Error): string {
  return speaksPlainHttp(error)
    ? 'the service speaks http at this address, not https; use an http:// URL, or the address of the proxy that ends TLS'
    : error.message;
}

/** Whether a TLS handshake got an answer that is not TLS, as OpenSSL says. */
function speaksPlainHttp(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') return true;
  return (
    (code === 'EPROTO' && error.message.includes('wrong version number')) || speaksPlainHttp(error.cause)
  );
}
