import type { IncomingMessage } from 'node:http';
import {
  PayloadIntegrityError,
  PayloadNotFoundError,
  PayloadRejectedError,
  type PayloadStoreError,
  PayloadStoreUnavailableError,
} from './errors.ts';
import { parseJsonObject, readText } from './response-text.ts';

const maximumMessageLength = 300;
const maximumRetryAfterSeconds = 3600;

interface ErrorBody {
  readonly code?: string;
  readonly message?: string;
}

/** What the caller was doing: a 404 means a missing payload only where one was asked for. */
export interface FailedCall {
  readonly operation: 'get' | 'put';
  readonly key?: string | undefined;
}

/**
 * The error that an unwelcome answer amounts to. Reads the rest of the answer, for at most `timeoutMs`, and trusts
 * nothing in it but the status and the shape of `{"error":{"code","message"}}`.
 */
export async function errorOfResponse(
  response: IncomingMessage,
  call: FailedCall,
  timeoutMs: number,
): Promise<PayloadStoreError> {
  const status = response.statusCode ?? 0;
  const { code, message } = errorBody(await readText(response, timeoutMs));
  const details = { key: call.key, status, code };
  const text = [`blob service answered ${status}`, code, message].filter(Boolean).join(': ');

  if (code === 'integrity') return new PayloadIntegrityError(text, details);
  if (status === 404 && call.operation === 'get') {
    if (saysNotStored(response, code)) return new PayloadNotFoundError(text, details);
    // A proxy that has lost its way to the service knows nothing about the payload.
    if (code === undefined) return new PayloadStoreUnavailableError(text, details);
  }
  if (status >= 500 || status === 429 || status === 408 || code === 'body_incomplete') {
    return new PayloadStoreUnavailableError(text, {
      ...details,
      retryAfterSeconds: retryAfterSeconds(response.headers['retry-after']),
    });
  }
  if (status >= 400) return new PayloadRejectedError(text, details);
  return new PayloadStoreUnavailableError(`${text}: is the URL that of a blob service?`, {
    ...details,
    retryable: false,
  });
}

/** By a code for the payload, not for the path, or as DataDog's service does: by plain text, or by the status alone. */
function saysNotStored(response: IncomingMessage, code: string | undefined): boolean {
  if (code !== undefined) return code !== 'unknown_route';
  return (response.headers['content-type'] ?? 'text/plain').startsWith('text/plain');
}

function errorBody(text: string | undefined): ErrorBody {
  const error = parseJsonObject(text)?.error;
  if (typeof error !== 'object' || error === null) return {};
  const { code, message } = error as Record<string, unknown>;
  return {
    ...(typeof code === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(code) && { code }),
    ...(typeof message === 'string' && { message: oneLine(message) }),
  };
}

/** Text of others in a form that cannot forge lines or colours in a log. */
function oneLine(text: string): string {
  return text.slice(0, maximumMessageLength).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** RFC 9110, 10.2.3: either whole seconds or a date in GMT. */
function retryAfterSeconds(header: string | undefined): number | undefined {
  const seconds = secondsOf(header ?? '');
  return Number.isNaN(seconds)
    ? undefined
    : Math.min(Math.max(0, Math.ceil(seconds)), maximumRetryAfterSeconds);
}

function secondsOf(header: string): number {
  if (/^\d+$/.test(header)) return Number(header);
  return header.endsWith(' GMT') ? (Date.parse(header) - Date.now()) / 1000 : Number.NaN;
}
