import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../errors/service-error.ts';
import { isEncrypted } from './tcp-socket.ts';

/** What a client may have called this port: a name or an address, and perhaps a port. */
const HOST = /^[A-Za-z0-9.[\]:_-]{1,255}$/;

/** For a port that takes requests over TLS only. @throws ServiceError `tls_required` for one that came by plain HTTP */
export function assertTls({ socket, headers: { host = '' } }: IncomingMessage): void {
  if (isEncrypted(socket)) return;
  const url = HOST.test(host) ? ` https://${host}` : ' a URL that begins with https://';
  throw new ServiceError(
    'tls_required',
    `this gateway takes requests over TLS only: set LARGE_PAYLOAD_SERVICE_URL to${url}, and LARGE_PAYLOAD_SERVICE_CA_FILE to the file ca.crt of the ConfigMap that the operator publishes for this store`,
  );
}
