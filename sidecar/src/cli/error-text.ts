import { PayloadStoreError } from '@largepayload/codec';

const NEW_TOKEN =
  'kubectl create token SERVICE_ACCOUNT --namespace NAMESPACE --audience largepayload.dev/NAMESPACE/STORE';

/** What a caller of a gateway can do, by the code of the error. */
const HINTS: Readonly<Record<string, string>> = {
  token_missing: `give a file with a token by --token-file; ${NEW_TOKEN} makes one`,
  token_refused: `give a token for this store that has not expired; ${NEW_TOKEN} makes one`,
  tls_required:
    "use the https:// URL of the gateway, with --token-file, and with --ca-file for the store's authority",
  caller_denied: 'docs/callers.md explains who may use a store',
  gateway_untrusted: 'the option --ca-file names the file',
  token_unreadable: 'the option --token-file names the file',
  ca_unreadable: 'the option --ca-file names the file',
};

/** What a command says about its failure: in our words where the cause is a library's that only experts understand. */
export function errorText(error: Error): string {
  if (speaksPlainHttp(error))
    return 'the service speaks http at this address, not https; use an http:// URL, or the address of the proxy that ends TLS';
  const hint = error instanceof PayloadStoreError ? HINTS[error.code ?? ''] : undefined;
  return hint === undefined ? error.message : `${error.message}\n${hint}`;
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
