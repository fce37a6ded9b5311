import type { Server } from 'node:http';
import Fastify, { type FastifyBaseLogger, type FastifyHttpOptions, type FastifyInstance } from 'fastify';
import { answerBrokenHead } from './broken-head.ts';
import { answerErrors, declareRoutes, type Route } from './error-answers.ts';

/** An HTTP server with these routes and nothing else, not listening yet; all ports are made by it. */
export function buildApp(
  log: FastifyBaseLogger,
  routes: readonly Route[],
  options: FastifyHttpOptions<Server> = {},
): FastifyInstance {
  const app = Fastify({
    ...options,
    // The framework's own lines (each request, each port) would tell what metrics and our own lines tell.
    loggerInstance: log.child({}, { level: 'warn' }),
    logController: new Fastify.LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    clientErrorHandler: answerBrokenHead,
  });
  // Bodies are streamed by their handler; nothing is parsed.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  answerErrors(app);
  declareRoutes(app, routes);
  return app;
}
