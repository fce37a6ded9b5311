import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { CertificateFolder } from './certificate-folder.ts';
import type { CertificatePair } from './certificate-pair.ts';
import { serverContext, shakeHands } from './handshake.ts';
import { HandshakeTurns } from './handshake-turns.ts';

/** The type of the record that a TLS client begins with (RFC 8446, 5.1). No request of HTTP begins with it. */
const HANDSHAKE_RECORD = 0x16;
/** Before it has our answer, a TLS client has no more to say than a record holds, with its head (RFC 8446, 5.1). */
const MOST_BEFORE_ANSWER = 16 * 1024 + 5;

export interface TlsRules {
  readonly certificate: CertificateFolder;
  /** handshakes under way at a time; others wait in line, fair between peers */
  readonly handshakes: number;
  /** connections at a time */
  readonly connections: number;
  /** a connection may take so long until its first request may begin, from when it was accepted; ms */
  readonly handshakeTimeMs: number;
}

type OnConnection = (socket: Socket) => void;

/**
 * Takes TLS and plain HTTP on the port of a server, distinguished by the first byte of a connection.
 * @param beforeRequests called with a TCP connection before its first request is read
 */
export function takeTlsAndPlain(server: Server, rules: TlsRules, beforeRequests: OnConnection): void {
  const { handshakeTimeMs } = rules;
  // Node's own listener, which reads requests from the connection. Others were put before it.
  const readRequests = server.listeners('connection').at(-1) as OnConnection;
  const beginTls = tlsServer(rules);
  server.off('connection', readRequests).on('connection', (tcp: Socket) => {
    const limit = setTimeout(() => tcp.destroy(), handshakeTimeMs);
    const stopWaiting = () => clearTimeout(limit);
    // A connection that breaks is noticed by its end.
    tcp.once('close', stopWaiting).on('error', () => {});
    const serve = (socket: Socket) => {
      stopWaiting();
      beforeRequests(tcp);
      readRequests.call(server, socket);
    };
    onFirstBytes(tcp, (first) => {
      if (first[0] === HANDSHAKE_RECORD) return void beginTls(tcp, first, serve).catch(() => tcp.destroy());
      tcp.unshift(first);
      serve(tcp);
    });
  });
}

/** A connection that ends without a byte is closed. */
function onFirstBytes(tcp: Socket, use: (first: Buffer) => void): void {
  tcp.once('readable', () => {
    const first: Buffer | null = tcp.read();
    if (first === null) tcp.destroy();
    else use(first);
  });
}

type BeginTls = (tcp: Socket, first: Buffer, onSecure: OnConnection) => Promise<void>;

function tlsServer({ certificate, handshakes, connections, handshakeTimeMs }: TlsRules): BeginTls {
  const turns = new HandshakeTurns(handshakes, handshakeTimeMs, connections);
  const contextOf = lastContext();
  return async (tcp, first, onSecure) => {
    if (first.length > MOST_BEFORE_ANSWER) return void tcp.destroy();
    // In line, nothing is left to be read of a client that has left, so that its end is noticed.
    tcp.once('end', () => tcp.destroy());
    const end = await turns.take(tcp);
    const pair = await certificate.current();
    if (tcp.destroyed) return;
    tcp.unshift(first);
    shakeHands(tcp, contextOf(pair), (secure) => {
      end();
      onSecure(secure);
    });
  };
}

/** Makes a context once for each pair. Connections keep theirs when a new pair takes its place. */
function lastContext(): (pair: CertificatePair | undefined) => SecureContext {
  let last: { readonly pair: CertificatePair | undefined; readonly context: SecureContext } | undefined;
  return (pair) => {
    if (last === undefined || last.pair !== pair) last = { pair, context: serverContext(pair) };
    return last.context;
  };
}
