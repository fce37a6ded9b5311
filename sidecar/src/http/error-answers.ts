import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { ServiceError } from '../errors/service-error.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { waitsForContinue } from './unread-body.ts';

/** The body of every answer that is not a success. */
export function errorBody(error: ServiceError): { error: { code: string; message: string } } {
  return { error: { code: error.code, message: error.message } };
}

/** Also for what the framework refuses before it looks for a route. */
export function answerError(thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const error = isFrameworkRefusal(thrown)
    ? new ServiceError('malformed_request', 'the request cannot be understood')
    : toServiceError(thrown);
  // That of a gateway, which is passed on, has no cause here: it is in the gateway's log.
  if (error.code === 'internal' && error.cause !== undefined)
    request.log.error({ err: error.cause, url: request.routeOptions.url }, 'request failed');
  send(reply, error);
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

/** Adds the routes. Other methods on their paths are answered 405, other paths 404. */
export function declareRoutes(app: FastifyInstance, routes: readonly Route[]): void {
  for (const route of routes) app.route(route as RouteOptions);
  const paths = routes.map(({ url }) => url).join(', ');
  // No route for each other method: the framework keeps tables for each, 2 MiB on three ports.
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request.url);
    const { method } = routes.find(({ url }) => isOn(url, path)) ?? {};
    if (method === undefined)
      return send(reply, new ServiceError('unknown_route', `no such path; this port has ${paths}`));
    reply.header('Allow', method);
    send(reply, new ServiceError('method_not_allowed', `this path takes ${method} only`));
  });
}

/** @param url as in a route: a segment that begins with a colon stands for any one that is not empty */
function isOn(url: string, path: string): boolean {
  const given = path.split('/');
  const wanted = url.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((segment, at) => (segment.startsWith(':') ? given[at] !== '' : segment === given[at]))
  );
}

/** The path as the framework compares it; it refuses those that cannot be decoded. */
function pathOf(url: string): string {
  return decodeURI(url.replace(/[?#].*$/s, ''));
}

function send(reply: FastifyReply, error: ServiceError): void {
  if (error.status === 503) reply.header('Retry-After', error.retryAfterSeconds);
  // A client that still waits for `100 Continue` will not send its body, so its connection ends with the answer.
  const { raw: request } = reply.request;
  if (!request.complete && waitsForContinue(request)) reply.header('Connection', 'close');
  reply.code(error.status).send(errorBody(error));
}

function isFrameworkRefusal(error: FastifyError): boolean {
  return error.code?.startsWith('FST_') === true && (error.statusCode ?? 500) < 500;
}
