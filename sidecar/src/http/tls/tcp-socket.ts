import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

const carriers = new WeakMap<Socket, Socket>();

/** Remembers the TCP connection below a TLS connection. */
export function carry(secure: TLSSocket, tcp: Socket): void {
  carriers.set(secure, tcp);
}

/** The TCP connection of a request's socket, by which limits count connections: the same before and after a handshake. */
export function tcpSocketOf(socket: Socket): Socket {
  return carriers.get(socket) ?? socket;
}

/** Whether what passes the socket is encrypted. */
export function isEncrypted(socket: Socket): boolean {
  return carriers.has(socket);
}
