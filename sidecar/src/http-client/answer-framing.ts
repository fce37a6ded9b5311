import type { AnswerHead } from './answer-head.ts';
import { badAnswer, badAnswerOf } from './errors.ts';

/** How the end of an answer's body is known. `close`: by the end of the connection. */
export type Framing =
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

const EMPTY: Framing = { kind: 'length', length: 0 };

/**
 * By RFC 9112, 6.3, but an answer that contradicts itself is refused. A success has a length. A success that is collected, such
 * as a listing, may be chunked instead.
 * @param isStreamed the body is handed on before it is whole, so its length has to be known, and it must not be encoded
 * @throws Error of `badAnswer`
 */
export function framingOf(head: AnswerHead, method: string, isStreamed: boolean): Framing {
  const { statusCode, headers } = head;
  const length = lengthOf(headers['content-length']);
  const coding = headers['transfer-encoding']?.toLowerCase();
  // The headers may describe the body that a GET would have got.
  if (method === 'HEAD' || statusCode === 304) return EMPTY;
  if (coding !== undefined && length !== undefined)
    throw badAnswerOf(head, 'with Content-Length and Transfer-Encoding');
  if (statusCode === 204) {
    if (coding !== undefined || (length ?? 0) > 0) throw badAnswerOf(head, 'with a body');
    return EMPTY;
  }
  if (coding !== undefined && coding !== 'chunked')
    throw badAnswerOf(head, 'with an unknown Transfer-Encoding');
  if (isStreamed && (headers['content-encoding'] ?? 'identity') !== 'identity')
    throw badAnswerOf(head, 'with an encoding that was not asked for');
  if (length !== undefined) return { kind: 'length', length };
  if (isStreamed || (coding === undefined && statusCode < 300))
    throw badAnswerOf(head, 'without a Content-Length');
  return coding === undefined ? { kind: 'close' } : { kind: 'chunked' };
}

function lengthOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const length = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(length))
    throw badAnswer(`an answer with the Content-Length ${text.slice(0, 40)}`);
  return length;
}
