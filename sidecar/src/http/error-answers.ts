import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { RETRY_AFTER_SECONDS, ServiceError, toServiceError } from '../errors.ts';

/** The body of every answer that is not a success. */
export function errorBody(error: ServiceError): { error: { code: string; message: string } } {
  return { error: { code: error.code, message: error.message } };
}

/** Answers thrown errors by the error table, on all ports alike. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown: FastifyError, request, reply) => {
    const error = isFrameworkRefusal(thrown)
      ? new ServiceError('malformed_request', 'the request cannot be understood')
      : toServiceError(thrown);
    if (error.code === 'internal')
      request.log.error({ err: thrown, url: request.routeOptions.url }, 'request failed');
    send(reply, error);
  });
  app.setNotFoundHandler((_request, reply) => {
    send(reply, new ServiceError('unknown_route', 'no such path; docs/wire-protocol.md lists them'));
  });
}

/** One method on one path. */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: string;
  readonly handler: (
    request: FastifyRequest,
    reply: FastifyReply,
  ) => Promise<FastifyReply | undefined> | Promise<void>;
}

/** Adds the routes, and for each path an answer 405 to every other method. */
export function declareRoutes(app: FastifyInstance, routes: readonly Route[]): void {
  for (const { method, url, handler } of routes) {
    app.route({ method, url, handler } as RouteOptions);
    app.route({
      method: app.supportedMethods.filter((other) => other !== method),
      url,
      handler: (_request, reply) => {
        reply.header('Allow', method);
        send(reply, new ServiceError('method_not_allowed', `this path takes ${method} only`));
      },
    });
  }
}

function send(reply: FastifyReply, error: ServiceError): void {
  if (error.status === 503) reply.header('Retry-After', RETRY_AFTER_SECONDS);
  closeAfterRefusedBody(reply);
  reply.code(error.status).send(errorBody(error));
}

/** How long a client may go on sending a body that was refused. Closing at once would destroy the answer on its way. */
const REFUSED_BODY_TIME = 5_000;

/**
 * Node reads a refused body to its end to keep the connection; a client that does not notice the refusal would be fed
 * for hours. One that waits for `100 Continue` has sent nothing, and its connection can end with the answer.
 */
function closeAfterRefusedBody(reply: FastifyReply): void {
  const { raw: request } = reply.request;
  if (request.complete || request.headers['content-length'] === undefined) return;
  if (request.headers.expect !== undefined) {
    reply.header('Connection', 'close');
    return;
  }
  const timer = setTimeout(() => request.socket.destroy(), REFUSED_BODY_TIME);
  for (const event of ['end', 'close']) request.once(event, () => clearTimeout(timer));
}

function isFrameworkRefusal(error: FastifyError): boolean {
  return error.code?.startsWith('FST_') === true && (error.statusCode ?? 500) < 500;
}
