import type { IncomingMessage } from 'node:http';
import { errorTable } from '../wire/error-table.ts';
import {
  PayloadIntegrityError,
  PayloadNotFoundError,
  PayloadRejectedError,
  type PayloadStoreError,
  PayloadStoreUnavailableError,
} from '../wire/errors.ts';
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
    const message = `blob service answered 404: ${oneLine(text ?? '', longestMessage)}`;
    return new PayloadNotFoundError(message, { key, status });
  }
  return errorOfService(response, call, status, text) ?? foreignAnswer(response, 'unexpected answer', key);
}

/** The error that the blob service itself answered; undefined when something else answered. */
function errorOfService(
  { headers }: IncomingMessage,
  { operation, key }: FailedCall,
  status: number,
  body: string | undefined,
): PayloadStoreError | undefined {
  const { code, message } = (parseJsonObject(body)?.error ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || !Object.hasOwn(errorTable, code)) return undefined;
  const known = errorTable[code as keyof typeof errorTable];
  if (known.status !== status) return undefined;
  const shown = typeof message === 'string' ? oneLine(message, longestMessage) : '';
  const text = [`blob service answered ${status}`, code, shown].filter(Boolean).join(': ');
  const details = { key, status, code };
  if (known.retryable) {
    const seconds = retryAfterSeconds(headers['retry-after']);
    return new PayloadStoreUnavailableError(text, { ...details, retryAfterSeconds: seconds });
  }
  if (code === 'integrity') return new PayloadIntegrityError(text, details);
  if (code === 'key_not_found' && operation === 'get') return new PayloadNotFoundError(text, details);
  return new PayloadRejectedError(text, details);
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
