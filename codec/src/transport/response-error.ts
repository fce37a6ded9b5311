import type { IncomingMessage } from 'node:http';
import {
  PayloadIntegrityError,
  PayloadNotFoundError,
  PayloadRejectedError,
  type PayloadStoreError,
  PayloadStoreUnavailableError,
} from '../wire/errors.ts';
import { serviceErrors } from '../wire/service-errors.ts';
import { foreignAnswer, oneLine } from './foreign-answer.ts';
import { parseJsonObject, readText } from './response-text.ts';
import { retryAfterSeconds } from './retry-after.ts';

const longestMessage = 300;

/** How DataDog's service says that it has no such payload. */
const plainTextNotFound = /^blob not found\b/i;

export interface FailedCall {
  /** A payload can be missing only where one was asked for. */
  readonly operation: 'get' | 'put';
  readonly key?: string | undefined;
  /** Milliseconds to read the rest of the answer. */
  readonly timeoutMs: number;
  /** Whether a 404 in the plain text of DataDog's service says that a payload is missing. */
  readonly acceptPlainTextErrors: boolean;
}

/** An error that the blob service itself answered. */
interface ServiceError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/**
 * The error for an answer that is no success. Only an answer of the blob service itself is final: a code of the wire protocol
 * with its status. Any other answer may come from a proxy on the way, so the call is worth trying again.
 */
export async function errorOfResponse(
  response: IncomingMessage,
  call: FailedCall,
): Promise<PayloadStoreError> {
  const { key } = call;
  const status = response.statusCode ?? 0;
  const text = await readText(response, call.timeoutMs);
  if (saysNotFoundInPlainText(response, text, call)) {
    return new PayloadNotFoundError(`blob service answered 404: ${oneLine(text ?? '', longestMessage)}`, {
      key,
      status,
    });
  }
  const error = serviceErrorOf(status, text);
  if (error === undefined) return foreignAnswer(response, 'unexpected answer', key);
  return errorOfService(error, call, status, response.headers['retry-after']);
}

function errorOfService(
  { code, message, retryable }: ServiceError,
  { operation, key }: FailedCall,
  status: number,
  retryAfter: string | undefined,
): PayloadStoreError {
  const text = [`blob service answered ${status}`, code, message].filter(Boolean).join(': ');
  const details = { key, status, code };
  if (retryable) {
    return new PayloadStoreUnavailableError(text, {
      ...details,
      retryAfterSeconds: retryAfterSeconds(retryAfter),
    });
  }
  if (code === 'integrity') return new PayloadIntegrityError(text, details);
  if (code === 'key_not_found' && operation === 'get') return new PayloadNotFoundError(text, details);
  return new PayloadRejectedError(text, details);
}

function serviceErrorOf(status: number, text: string | undefined): ServiceError | undefined {
  const error = parseJsonObject(text)?.error;
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, message } = error as Record<string, unknown>;
  const kind = typeof code === 'string' ? serviceErrors.get(code) : undefined;
  if (typeof code !== 'string' || kind?.status !== status) return undefined;
  const shownMessage = typeof message === 'string' ? oneLine(message, longestMessage) : '';
  return { code, message: shownMessage, retryable: kind.retryable };
}

function saysNotFoundInPlainText(
  { statusCode, headers }: IncomingMessage,
  text: string | undefined,
  { operation, acceptPlainTextErrors }: FailedCall,
): boolean {
  if (!acceptPlainTextErrors || operation !== 'get' || statusCode !== 404) return false;
  return (
    (headers['content-type'] ?? 'text/plain').startsWith('text/plain') && plainTextNotFound.test(text ?? '')
  );
}
