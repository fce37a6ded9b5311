import type { StatusReport } from '@largepayload/crds';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { toServiceError } from '../errors/to-service-error.ts';
import { buildApp } from '../http/app.ts';
import { errorBody } from '../http/error-answers.ts';
import type { Metrics } from './metrics.ts';
import { OPERATIONS_SERVER } from './operations-server.ts';
import type { Readiness } from './readiness.ts';

/** `/metrics` for Prometheus, `/healthz` (the process is up), `/readyz` (clients may be sent here) and `/status`. */
export function buildMetricsServer(context: {
  metrics: Metrics;
  readiness: Readiness;
  status: () => Promise<StatusReport>;
  log: FastifyBaseLogger;
}): FastifyInstance {
  const { registry } = context.metrics;
  return buildApp(
    context.log,
    [
      {
        method: 'GET',
        url: '/metrics',
        handler: async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
      },
      { method: 'GET', url: '/healthz', handler: async (_request, reply) => reply.send({ status: 'ok' }) },
      {
        method: 'GET',
        url: '/readyz',
        handler: async (_request, reply) => {
          try {
            await context.readiness.assertReady();
            return reply.send({ status: 'ready' });
          } catch (error) {
            const reason = toServiceError(error);
            return reply.code(503).send({ status: 'not ready', ...errorBody(reason) });
          }
        },
      },
      {
        method: 'GET',
        url: '/status',
        handler: async (_request, reply) => reply.send(await context.status()),
      },
    ],
    OPERATIONS_SERVER,
  );
}
