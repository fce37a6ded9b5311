import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** An API server has at most 600 requests under way, of which those that make pods are a part. A connection takes about 40 KiB. */
const MOST_CONNECTIONS = 1_024;

/** Keeps the connections of a server below a number, and ends them. */
export class Connections {
  readonly #server: Server;
  /** without a request, the one that waits for the longest time first */
  readonly #idle = new Set<Socket>();
  readonly #answering = new Set<ServerResponse>();
  #count = 0;
  #isEnding = false;

  /** @param server of HTTPS */
  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => this.#begin(socket));
    server.prependListener('secureConnection', (socket: Socket) => this.#watch(socket));
    server.on('request', ({ socket }, response) => this.#request(socket, response));
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
    this.#count += 1;
    socket.once('close', () => {
      this.#count -= 1;
    });
    if (this.#count <= MOST_CONNECTIONS) return;
    const [idle = socket] = this.#idle;
    this.#idle.delete(idle);
    idle.destroy();
  }

  #watch(socket: Socket): void {
    this.#idle.add(socket);
    socket.once('close', () => this.#idle.delete(socket));
  }

  #request(socket: Socket, response: ServerResponse): void {
    this.#idle.delete(socket);
    this.#answering.add(response);
    if (this.#isEnding) response.shouldKeepAlive = false;
    response.once('close', () => {
      this.#answering.delete(response);
      if (!socket.destroyed) this.#idle.add(socket);
    });
  }
}
