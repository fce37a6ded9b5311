import { METHODS, type Server } from 'node:http';
import Fastify, { type FastifyBaseLogger, type FastifyHttpOptions, type FastifyInstance } from 'fastify';
import { answerBrokenHead } from './broken-head.ts';
import { answerError, declareRoutes, type Route } from './error-answers.ts';
import { createHttpServer, type HttpServerSettings } from './server.ts';
import { limitUnreadBodies } from './unread-body.ts';

/** An HTTP server with these routes and nothing else, not listening yet; all ports are made by it. */
export function buildApp(
  log: FastifyBaseLogger,
  routes: readonly Route[],
  settings: HttpServerSettings,
  options: FastifyHttpOptions<Server> = {},
): FastifyInstance {
  const app = Fastify({
    ...options,
    serverFactory: (handle) => createHttpServer(settings, handle),
    // The framework's own lines (each request, each port) would repeat metrics and our own lines.
    loggerInstance: log.child({}, { level: 'warn' }),
    logController: new Fastify.LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    clientErrorHandler: answerBrokenHead,
    frameworkErrors: answerError,
    // No route has a schema; without these, fastify would load its compilers of schemas.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  // Every method that Node understands gets our answer, not the framework's. No body is parsed: handlers stream them.
  for (const method of METHODS) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  app.setErrorHandler(answerError);
  limitUnreadBodies(app);
  declareRoutes(app, routes);
  return app;
}

function noSchemas(): never {
  throw new Error('routes have no schemas');
}
