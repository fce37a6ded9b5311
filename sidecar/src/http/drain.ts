import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

const LOOK_INTERVAL = 50;

/**
 * Prepares an app for its end; the returned function ends it: no new connections, requests in flight finish, what is still
 * in flight after `limit` ms is cut off. Connections without a request are closed at once; Node's own
 * `closeIdleConnections` spares those that never sent one.
 */
export function drainable(app: FastifyInstance): (limit: number) => Promise<void> {
  const server: Server = app.server;
  const sockets = new Set<Socket>();
  const busy = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const begin = ({ socket }: IncomingMessage, response: ServerResponse) => {
    busy.add(socket);
    response.once('close', () => busy.delete(socket));
  };
  for (const event of ['request', 'checkContinue', 'checkExpectation']) server.prependListener(event, begin);

  return async (limit) => {
    const closeIdle = () => {
      for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
    };
    const looking = setInterval(closeIdle, LOOK_INTERVAL);
    const cutOff = setTimeout(() => server.closeAllConnections(), limit);
    try {
      await app.close();
    } finally {
      clearInterval(looking);
      clearTimeout(cutOff);
    }
  };
}
