import { ServiceError } from '../errors/service-error.ts';

/** RFC 6750, 2.1; the scheme in any case (RFC 9110, 11.1). */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;
const BEARER_SCHEME = /^bearer(?:[ \t]|$)/i;

/**
 * The token of a request head; `undefined`: it has none. Node's own `headers` has only the first of several.
 * @param rawHeaders names and values in turn
 * @throws ServiceError `token_refused`
 */
export function bearerToken(rawHeaders: readonly string[]): string | undefined {
  let value: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length !== 'authorization'.length || name.toLowerCase() !== 'authorization') continue;
    // Programs on the way may have looked at another one than we would.
    if (value !== undefined)
      throw new ServiceError('token_refused', 'the request has more than one Authorization header');
    value = rawHeaders[at + 1] as string;
  }
  if (value === undefined || !BEARER_SCHEME.test(value)) return undefined;
  const [, token] = BEARER.exec(value) ?? [];
  if (token === undefined)
    throw new ServiceError('token_refused', 'the Authorization header is not "Bearer TOKEN" with one token');
  return token;
}
