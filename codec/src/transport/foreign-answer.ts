import type { IncomingMessage } from 'node:http';
import { PayloadStoreUnavailableError } from '../wire/errors.ts';
import { retryAfterSeconds } from './retry-after.ts';

const longestHeader = 60;

/**
 * The error for an answer that is not the blob service's: it proves nothing about a payload, so the request is worth
 * repeating. The message says who seems to have answered, and what to check.
 * @param problem what is wrong with the answer, in a few words
 */
export function foreignAnswer(
  response: IncomingMessage,
  problem: string,
  key?: string | undefined,
): PayloadStoreUnavailableError {
  const status = response.statusCode ?? 0;
  return new PayloadStoreUnavailableError(
    `${problem} (${signsOf(response)}): it seems to come from a proxy, not from the blob service; ${checkFor(status)}`,
    { key, status, retryAfterSeconds: retryAfterSeconds(response.headers['retry-after']) },
  );
}

/** Whether the answer names a type of content that the blob service never gives a payload, as an HTML page does. */
export function isForeignContent({ headers }: IncomingMessage): boolean {
  const type = headers['content-type'];
  if (type === undefined) return headers['content-length'] === '0';
  return !/^application\/octet-stream\s*(;|$)/i.test(type);
}

/** Text of another program, in a form that cannot forge lines or colours in a log. */
export function oneLine(text: string, longest: number): string {
  return text.slice(0, longest).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** The headers of an answer that show which program gave it. */
function signsOf({ statusCode, headers }: IncomingMessage): string {
  const signs = ['server', 'via', 'content-type'].flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [`${name}: ${oneLine(value, longestHeader)}`] : [];
  });
  return [`status ${statusCode}`, ...(signs.length === 0 ? ['no server, via or content-type'] : signs)].join(
    ', ',
  );
}

function checkFor(status: number): string {
  if (status === 413) {
    return "raise the proxy's limit for request bodies (client_max_body_size in nginx) to the store's maxPayloadSize";
  }
  if (status === 431) return "raise the proxy's limit for request headers to 256 KiB";
  if (status === 401 || status === 403 || status === 407) {
    return 'let the proxy pass the request without credentials of its own, and check network policies';
  }
  if (status >= 300 && status < 400) {
    return 'redirects are not followed: use the URL of the blob service itself, with the right one of http and https';
  }
  if (status === 404)
    return 'check the URL and the routes of the proxy; whether the payload exists is not known';
  if (status >= 500 || status === 408 || status === 429) {
    return 'check whether the blob service runs, and whether the proxy reaches it';
  }
  return 'is the URL that of a blob service?';
}
