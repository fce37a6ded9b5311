import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { FairBudget } from '../fair-budget.ts';
import { peerOf } from '../peer.ts';
import { TransferWatch } from '../transfer-watch.ts';
import type { CertificateFolder } from './certificate-folder.ts';
import type { CertificatePair } from './certificate-pair.ts';
import { serverContext, shakeHands } from './handshake.ts';

/** The type of the record that a TLS client begins with (RFC 8446, 5.1). No request of HTTP begins with it. */
const HANDSHAKE_RECORD = 0x16;
/** Before it has our answer, a TLS client has no more to say than a record holds, with its head (RFC 8446, 5.1). */
const MOST_BEFORE_ANSWER = 16 * 1024 + 5;

export interface TlsRules {
  readonly certificate: CertificateFolder;
  /** handshakes under way at a time; others wait in line, fair between peers */
  readonly handshakes: number;
  /** from its beginning until its first request may begin, a connection may take so long; ms */
  readonly handshakeTimeMs: number;
}

/**
 * Takes TLS and plain HTTP on the port of a server, told apart by the first byte of a connection.
 * @param beforeRequests called with a TCP connection before its first request is read
 */
export function takeTlsAndPlain(
  server: Server,
  rules: TlsRules,
  beforeRequests: (tcp: Socket) => void,
): void {
  const { certificate, handshakes: limit, handshakeTimeMs } = rules;
  // Node's own listener, which reads requests from the connection. Others were put before it.
  const readRequests = server.listeners('connection').at(-1) as ((socket: Socket) => void) | undefined;
  if (readRequests === undefined) throw new Error('the server reads no requests');
  const handshakes = new FairBudget({
    limit,
    waitTimeMs: handshakeTimeMs,
    mostWaiting: server.maxConnections,
  });
  // None moves bytes that count, so each has to be over in time, and gives way when others wait.
  const watch = new TransferWatch(
    { progressPeriodMs: handshakeTimeMs, progressBytes: 1 },
    () => handshakes.demand,
  );
  const contextOf = lastContext();

  const serve = (tcp: Socket, socket: Socket) => {
    beforeRequests(tcp);
    readRequests.call(server, socket);
  };

  const secure = async (tcp: Socket, onSecure: () => void) => {
    const peer = peerOf({ socket: tcp });
    const left = new AbortController();
    tcp.once('close', () => left.abort());
    const release = await handshakes.reserve(peer, 1, left.signal);
    const handshake = watch.begin({ peer, units: 1, onExpired: () => tcp.destroy() });
    handshake.wait();
    const end = () => {
      handshake.end();
      release();
    };
    tcp.once('close', end);
    // A certificate that was changed a moment ago is for the next connection.
    const looking = certificate.look();
    if (certificate.inUse === undefined) await looking;
    if (tcp.destroyed) return;
    shakeHands(tcp, contextOf(certificate.inUse), (socket) => {
      end();
      onSecure();
      serve(tcp, socket);
    });
  };

  server.off('connection', readRequests).on('connection', (tcp: Socket) => {
    const limit = setTimeout(() => tcp.destroy(), handshakeTimeMs);
    const stopWaiting = () => clearTimeout(limit);
    tcp.once('close', stopWaiting).on('error', ignore);
    tcp.once('readable', () => {
      const first: Buffer | null = tcp.read();
      if (first === null) return void tcp.destroy();
      tcp.unshift(first);
      if (first[0] !== HANDSHAKE_RECORD) {
        stopWaiting();
        serve(tcp, tcp);
      } else if (first.length > MOST_BEFORE_ANSWER) tcp.destroy();
      else secure(tcp, stopWaiting).catch(() => tcp.destroy());
    });
  });
}

/** Makes a context once for each pair. Connections keep theirs when a new pair takes its place. */
function lastContext(): (pair: CertificatePair | undefined) => SecureContext {
  let last: { readonly pair: CertificatePair | undefined; readonly context: SecureContext } | undefined;
  return (pair) => {
    if (last === undefined || last.pair !== pair) last = { pair, context: serverContext(pair) };
    return last.context;
  };
}

/** A connection that breaks is noticed by its end. */
function ignore(): void {}
