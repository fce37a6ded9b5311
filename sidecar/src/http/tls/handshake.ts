import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SecureContext, SecureContextOptions, TLSSocket } from 'node:tls';
import { nodeTls } from '../../memory/modules-on-demand.ts';
import type { CertificatePair } from './certificate-pair.ts';
import { carry } from './tcp-socket.ts';

/**
 * TLS 1.3, and 1.2 for clients of other languages. AES-128 comes first: 256 bits protect no better here, and cost more (ADR 23).
 * The rest of the list is Node's, without what has no forward secrecy.
 */
const RULES: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  honorCipherOrder: true,
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  // A client of TLS 1.2 could ask for one handshake after another on one connection.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
};

/** @param pair `undefined`: handshakes fail with an alert */
export function serverContext(pair: CertificatePair | undefined): SecureContext {
  return nodeTls().createSecureContext(
    pair === undefined ? RULES : { ...RULES, cert: pair.certificate, key: pair.key },
  );
}

/**
 * The server's side of a handshake. What the connection has received, and was not read, is read here.
 * @param onSecure called when it is over; a handshake that fails ends the connection
 */
export function shakeHands(
  tcp: Socket,
  secureContext: SecureContext,
  onSecure: (secure: TLSSocket) => void,
): void {
  const secure = new (nodeTls().TLSSocket)(tcp, {
    isServer: true,
    secureContext,
    ALPNProtocols: ['http/1.1'],
  });
  carry(secure, tcp);
  const leave = () => tcp.destroy();
  // These stay attached: a connection may break at any time, and its end is noticed by `close`. A record that was altered is an
  // `error` only of a socket that a `tls.Server` of Node made; it is this other event always.
  secure.on('error', leave).on('_tlsError', leave);
  secure.once('end', leave);
  secure.once('secure', () => {
    secure.off('end', leave);
    onSecure(secure);
  });
}
