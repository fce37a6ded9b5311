import { Readable } from 'node:stream';
import type { StatusReport } from '@largepayload/crds';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { toServiceError } from '../errors/to-service-error.ts';
import { buildApp } from '../http/app.ts';
import { errorBody, type Route } from '../http/error-answers.ts';
import type { Metrics } from './metrics.ts';
import { OPERATIONS_SERVER } from './operations-server.ts';
import type { Readiness } from './readiness.ts';
import { StatusPolls } from './status-polls.ts';

/**
 * `/metrics` for Prometheus, `/healthz` (the process is up), `/readyz` (clients may be sent here) and `/status`, if there is a
 * store to report.
 */
export function buildMetricsServer(context: {
  metrics: Metrics;
  readiness: Readiness;
  status?: () => Promise<StatusReport>;
  log: FastifyBaseLogger;
}): FastifyInstance {
  const { registry } = context.metrics;
  const { status } = context;
  const polls = status === undefined ? undefined : new StatusPolls(status);
  const get = (url: string, handler: Route['handler']): Route => ({ method: 'GET', url, handler });
  const app = buildApp(
    context.log,
    [
      get('/metrics', async (_request, reply) =>
        reply.type(registry.contentType).send(await registry.metrics()),
      ),
      get('/healthz', async (_request, reply) => reply.send({ status: 'ok' })),
      get('/readyz', async (_request, reply) => {
        try {
          await context.readiness.assertReady();
          return reply.send({ status: 'ready' });
        } catch (error) {
          return reply.code(503).send({ status: 'not ready', ...errorBody(toServiceError(error)) });
        }
      }),
      ...(polls === undefined || status === undefined ? [] : [get('/status', answerStatus(status, polls))]),
    ],
    OPERATIONS_SERVER,
  );
  app.addHook('preClose', async () => polls?.end());
  return app;
}

function answerStatus(status: () => Promise<StatusReport>, polls: StatusPolls): Route['handler'] {
  return async (request, reply) => {
    const { since } = request.query as { since?: unknown };
    if (typeof since !== 'string') return reply.send(await status());
    const left = new AbortController();
    reply.raw.once('close', () => left.abort());
    const answer = Readable.from(polls.answer(since, left.signal));
    return reply.type('application/json; charset=utf-8').send(answer);
  };
}
