import type { Server } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors/service-error.ts';
import { buildApp } from '../http/app.ts';
import { pauseWhileConnectionsArrive } from '../http/arriving-connections.ts';
import { assertTls } from '../http/tls/tls-required.ts';
import type { PayloadService } from '../payload-service/payload-service.ts';
import type { DataContext } from './data-context.ts';
import { getBlob, getVersionOneBlob } from './get-blob.ts';
import { putBlob } from './put-blob.ts';

const KEEP_ALIVE_TIMEOUT = 75_000;

/** The data port (wire API versions 1 and 2), not listening yet. */
export function buildDataServer(context: DataContext): FastifyInstance {
  const routes = [
    { method: 'HEAD', url: '/v2/health/head', handler: headHealth(context.service) },
    { method: 'PUT', url: '/v2/blobs/put', handler: putBlob(context) },
    { method: 'GET', url: '/v2/blobs/get', handler: getBlob(context) },
    { method: 'GET', url: '/v1/blobs/get', handler: getVersionOneBlob(context) },
  ] as const;
  const { tls } = context;
  const { connections, headersTimeout } = context.limits;
  const app = buildApp(context.log, routes, {
    ...{ connections, headersTimeout, keepAliveTimeout: KEEP_ALIVE_TIMEOUT },
    requestTimeout: 0,
    answersExpect: true,
    ...(tls && {
      tls: {
        certificate: tls.certificate,
        connections: connections.connections,
        handshakes: connections.handshakes ?? connections.connections,
        handshakeTimeMs: headersTimeout,
      },
    }),
  });
  pauseWhileConnectionsArrive(app.server, context.budget);
  if (tls?.isRequired) app.addHook('onRequest', async ({ raw }) => assertTls(raw, tls.certificate));
  app.addHook('onRequest', async (_request, reply) => refuseAtTheEnd(app.server, reply));
  return app;
}

/** `HEAD /v2/health/head`: 200 when the storage can be used. */
function headHealth(service: PayloadService) {
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    await service.assertUsable();
    return reply.code(200).send();
  };
}

/** For requests that still arrive on open connections when no new ones are taken. */
function refuseAtTheEnd(server: Server, reply: FastifyReply): void {
  if (server.listening) return;
  reply.header('Connection', 'close');
  throw new ServiceError('draining', 'this process is ending; try again');
}
