import { Readable } from 'node:stream';
import type { StatusReport } from '@largepayload/crds';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { toServiceError } from '../errors/to-service-error.ts';
import { buildApp } from '../http/app.ts';
import { errorBody } from '../http/error-answers.ts';
import type { Metrics } from './metrics.ts';
import { OPERATIONS_SERVER } from './operations-server.ts';
import type { Readiness } from './readiness.ts';
import { StatusPolls } from './status-polls.ts';

/** `/metrics` for Prometheus, `/healthz` (the process is up), `/readyz` (clients may be sent here) and `/status`. */
export function buildMetricsServer(context: {
  metrics: Metrics;
  readiness: Readiness;
  status: () => Promise<StatusReport>;
  log: FastifyBaseLogger;
}): FastifyInstance {
  const { registry } = context.metrics;
  const polls = new StatusPolls(context.status);
  const app = buildApp(
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
        handler: async (request, reply) => {
          const { since } = request.query as { since?: unknown };
          if (typeof since !== 'string') return reply.send(await context.status());
          const left = new AbortController();
          reply.raw.once('close', () => left.abort());
          return reply
            .type('application/json; charset=utf-8')
            .send(Readable.from(polls.answer(since, left.signal)));
        },
      },
    ],
    OPERATIONS_SERVER,
  );
  app.addHook('preClose', () => polls.end());
  return app;
}
