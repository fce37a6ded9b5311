import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { ServiceError } from '../../errors/service-error.ts';
import type { CertificateFolder } from './certificate-folder.ts';
import { isEncrypted } from './tcp-socket.ts';

/** A name or an IPv4 address, and perhaps a port. */
const HOST = /^([A-Za-z0-9._-]{1,253})(:\d{1,5})?$/;
/** A certificate may have hundreds. */
const MOST_NAMES = 2;

/** For a port that takes requests over TLS only. @throws ServiceError `tls_required` for one that came by plain HTTP */
export function assertTls(
  { socket, headers: { host = '' } }: IncomingMessage,
  { inUse }: CertificateFolder,
): void {
  if (isEncrypted(socket)) return;
  throw new ServiceError(
    'tls_required',
    `this gateway takes requests over TLS only: set LARGE_PAYLOAD_SERVICE_URL to ${urlFor(host, inUse?.leaf)}, and LARGE_PAYLOAD_SERVICE_CA_FILE to the file ca.crt of the ConfigMap that the operator publishes for this store`,
  );
}

/** What the client called this port, where the certificate is for that: short names and addresses of a cluster are in none. */
function urlFor(host: string, leaf: X509Certificate | undefined): string {
  const [, name = ''] = HOST.exec(host) ?? [];
  const isNamed = isIP(name) === 0 ? leaf?.checkHost(name) : leaf?.checkIP(name);
  if (isNamed !== undefined) return `https://${host}`;
  const names = leaf?.subjectAltName
    ?.match(/(?<=DNS:)[^\s,"]+/g)
    ?.slice(0, MOST_NAMES)
    .join(' or ');
  return names ? `an https:// URL with a name of its certificate (${names})` : 'its https:// URL';
}
