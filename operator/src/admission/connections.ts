import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** An API server has at most 600 requests under way, of which those that make pods are a part. A connection takes about 40 KiB. */
const MOST_CONNECTIONS = 1_024;

/** Keeps the connections of a server below a number, and ends them. */
export class Connections {
  readonly #server: Server;
  /** of TCP, by the address of the client, which its TLS has too */
  readonly #all = new Map<string, Socket>();
  /** those without a request, in a handshake too; the one that waits for the longest time first */
  readonly #idle = new Set<Socket>();
  readonly #answering = new Set<ServerResponse>();
  #isEnding = false;

  /** @param server of HTTPS */
  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => this.#begin(socket));
    server.on('request', (request, response) => this.#request(request, response));
  }

  /**
   * Ends all of them: for `lameDuckMs` whatever comes is answered, each answer being the last of its connection; then requests under
   * way may finish within `limitMs`.
   */
  async end({ lameDuckMs, limitMs }: { lameDuckMs: number; limitMs: number }): Promise<void> {
    this.#isEnding = true;
    for (const response of this.#answering) response.shouldKeepAlive = false;
    await sleep(lameDuckMs);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#idle) socket.destroy();
    const cutOff = setTimeout(() => this.#server.closeAllConnections(), limitMs);
    await closed;
    clearTimeout(cutOff);
  }

  /** A new connection takes the place of the one that is idle for the longest time, so that idle ones keep out no API server. */
  #begin(socket: Socket): void {
    const client = clientOf(socket);
    socket.once('close', () => {
      this.#all.delete(client);
      this.#idle.delete(socket);
    });
    if (this.#all.size >= MOST_CONNECTIONS) {
      const [idle = socket] = this.#idle;
      this.#idle.delete(idle);
      idle.destroy();
    }
    if (socket.destroyed) return;
    this.#all.set(client, socket);
    this.#idle.add(socket);
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const socket = this.#all.get(clientOf(request.socket));
    if (socket === undefined) return;
    this.#idle.delete(socket);
    this.#answering.add(response);
    if (this.#isEnding) response.shouldKeepAlive = false;
    response.once('close', () => {
      this.#answering.delete(response);
      if (!socket.destroyed) this.#idle.add(socket);
    });
  }
}

function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
