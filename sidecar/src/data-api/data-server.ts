import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.ts';
import { buildApp } from '../http/app.ts';
import type { Readiness } from '../operations/readiness.ts';
import type { DataContext } from './data-context.ts';
import { getBlob, getVersionOneBlob } from './get-blob.ts';
import type { DataLimits } from './limits.ts';
import { putBlob } from './put-blob.ts';

const KEEP_ALIVE_TIMEOUT = 75_000;
const HEAD_CHECK_INTERVAL = 1_000;

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** The data port (wire API versions 1 and 2), not listening yet. */
export function buildDataServer(context: DataContext): FastifyInstance {
  const routes = [
    { method: 'HEAD', url: '/v2/health/head', handler: headHealth(context.readiness) },
    { method: 'PUT', url: '/v2/blobs/put', handler: putBlob(context) },
    { method: 'GET', url: '/v2/blobs/get', handler: getBlob(context) },
    { method: 'GET', url: '/v1/blobs/get', handler: getVersionOneBlob(context) },
  ] as const;
  const serverFactory = (handle: Handle) => createDataServer(context.limits, handle);
  const app = buildApp(context.log, routes, { serverFactory });
  app.addHook('onRequest', async (_request, reply) => refuseAtTheEnd(app.server, reply));
  return app;
}

function createDataServer(limits: DataLimits, handle: Handle) {
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderSize,
      headersTimeout: limits.headersTimeout,
      connectionsCheckingInterval: Math.min(HEAD_CHECK_INTERVAL, limits.headersTimeout),
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    },
    handle,
  );
  server.maxConnections = limits.maxConnections;
  // What else a client may expect is ignored, as RFC 9110 (10.1.1) allows; Node's own 417 has no body.
  server.on('checkContinue', handle).on('checkExpectation', handle);
  return server;
}

/** `HEAD /v2/health/head`: 200 when the storage can be used. */
function headHealth(readiness: Readiness) {
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    await readiness.assertUsable();
    return reply.code(200).send();
  };
}

/** For requests that still arrive on open connections when no new ones are taken. */
function refuseAtTheEnd(server: Server, reply: FastifyReply): void {
  if (server.listening) return;
  reply.header('Connection', 'close');
  throw new ServiceError('draining', 'this process is ending; try again');
}
