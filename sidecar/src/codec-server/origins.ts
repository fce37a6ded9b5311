import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors/service-error.ts';

/** What Temporal's Web UI sends: the last one when it passes the user's identity token on. */
const REQUEST_HEADERS = 'content-type, x-namespace, authorization, authorization-extras';
const PREFLIGHT_SECONDS = 600;
/** So many refused origins are logged: a page that makes up more of them must not fill the disk. */
const LOGGED_ORIGINS = 20;

/**
 * Origins as browsers write them, separated by commas: `http://127.0.0.1:8233,https://temporal.example`.
 * @throws Error that says what to write instead
 */
export function parseOrigins(text: string): ReadonlySet<string> {
  return new Set(text.split(',').map((part) => parseOrigin(part.trim())));
}

function parseOrigin(text: string): string {
  const url = text.includes('*') ? null : URL.parse(text);
  const origin = url?.protocol === 'http:' || url?.protocol === 'https:' ? url.origin : undefined;
  if (origin === text) return text;
  const hint =
    origin === undefined
      ? 'name each one as SCHEME://HOST[:PORT], such as http://127.0.0.1:8233; there is no wildcard'
      : `a browser would send ${origin}`;
  throw new Error(`"${text}" is not the origin of a Web UI; ${hint}`);
}

/**
 * A hook that answers preflight requests, and refuses whatever comes from a web page that is not one of `allowed`. It is
 * refused, not merely kept from reading the answer: `Origin` also tells pages that made their own name resolve to this
 * address. Programs send none, and are served.
 */
export function admitOrigins(allowed: ReadonlySet<string>, log: FastifyBaseLogger) {
  const refused = new Set<string>();
  return async (request: FastifyRequest, { raw: response }: FastifyReply): Promise<void> => {
    response.setHeader('Vary', 'Origin');
    const { origin, host } = request.headers;
    if (origin === undefined) return;
    if (!allowed.has(origin)) {
      if (!refused.has(origin) && refused.size < LOGGED_ORIGINS) {
        refused.add(origin);
        log.warn({ origin, host }, 'refused a web page; --allow-origin names those that may use this');
      }
      throw new ServiceError(
        'origin_refused',
        'this web page may not use the codec server; see --allow-origin',
      );
    }
    response.setHeader('Access-Control-Allow-Origin', origin);
    // For the Web UI's "include cross-origin credentials": cookies mean nothing here, but to what stands in front.
    response.setHeader('Access-Control-Allow-Credentials', 'true');
  };
}

/** `OPTIONS` of an admitted origin: what it may send. */
export async function answerPreflight(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { origin, ...headers } = request.headers;
  if (request.method !== 'OPTIONS' || origin === undefined) return undefined;
  if (headers['access-control-request-method'] === undefined) return undefined;
  reply
    .header('Access-Control-Allow-Methods', 'POST')
    .header('Access-Control-Allow-Headers', REQUEST_HEADERS)
    .header('Access-Control-Max-Age', PREFLIGHT_SECONDS);
  if (headers['access-control-request-private-network'] === 'true') {
    reply.header('Access-Control-Allow-Private-Network', 'true');
  }
  return reply.code(204).send();
}
