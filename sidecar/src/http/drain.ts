import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { tcpSocketOf } from './tls/tcp-socket.ts';

const LOOK_INTERVAL_MS = 50;

/** How a server ends, one time after the other. */
export interface DrainTimes {
  /** It goes on serving whatever comes, each answer the last one of its connection. Default 0 */
  readonly lameDuckMs?: number;
  /** It takes no new connections, and requests in flight may finish; what is still in flight then is cut off. */
  readonly limitMs: number;
  /**
   * It has ended this long after the last answer at the earliest: the kernel may hold the last megabytes of an answer for a
   * slow reader, and loses them where the network goes with the process, as a pod's does. Default 0
   */
  readonly lingerMs?: number;
}

export type EndServer = (times: DrainTimes) => Promise<void>;

/**
 * Prepares an app for its end. Connections without a request are closed as soon as no more are taken; Node's own
 * `closeIdleConnections` spares those that never sent one.
 */
export function drainable(app: FastifyInstance): EndServer {
  const server: Server = app.server;
  const sockets = new Set<Socket>();
  const answering = new Map<ServerResponse, Socket>();
  let ending = false;
  let lastAnswer = Number.NEGATIVE_INFINITY;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const begin = ({ socket }: IncomingMessage, response: ServerResponse) => {
    answering.set(response, tcpSocketOf(socket));
    response.once('close', () => {
      answering.delete(response);
      lastAnswer = performance.now();
    });
    if (ending) beLast(response);
  };
  for (const event of ['request', 'checkContinue', 'checkExpectation']) {
    // Without a listener Node answers `Expect` itself. A listener that answers nothing would prevent that.
    if (server.listenerCount(event) > 0) server.prependListener(event, begin);
  }

  return async ({ limitMs, lameDuckMs = 0, lingerMs = 0 }) => {
    ending = true;
    for (const response of answering.keys()) beLast(response);
    await sleep(lameDuckMs);
    const closeIdle = () => {
      const busy = new Set(answering.values());
      for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
    };
    const looking = setInterval(closeIdle, LOOK_INTERVAL_MS);
    const cutOff = setTimeout(() => server.closeAllConnections(), limitMs);
    try {
      await app.close();
    } finally {
      clearInterval(looking);
      clearTimeout(cutOff);
    }
    await sleep(Math.max(0, lastAnswer + lingerMs - performance.now()));
  };
}

/** Node then sends `Connection: close`, unless the head is out already, and closes after the answer. */
function beLast(response: ServerResponse): void {
  response.shouldKeepAlive = false;
}
