import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './api.ts';
import { TooLargeError } from './http-exchange.ts';

/** As much of a `Status` as is read. */
interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: unknown };
}

/** Longest part shown of an answer that is no `Status`: a proxy's page, for example. */
const LONGEST_EXCERPT = 200;

/** @param what was asked, e.g. `get configmaps shop/main-config` */
export function refusal(
  what: string,
  answer: { statusCode?: number | undefined; headers: IncomingHttpHeaders },
  body: string,
): ApiError {
  const status = parseStatus(body);
  const code = answer.statusCode ?? 0;
  const words = status?.message || unknownPath(code) || excerpt(body) || 'no words';
  const header = Number(answer.headers['retry-after'] ?? Number.NaN);
  const retryAfter = firstNumber(header, status?.details?.retryAfterSeconds);
  const reason = status?.reason ?? '';
  return new ApiError(`${what}: ${words} (HTTP ${code})`, { status: code, reason, retryAfter });
}

/** What a watch says before it ends. */
export function watchRefusal(what: string, status: Status): ApiError {
  const { message = 'no words', reason = '', code = 500, details } = status;
  const facts = { status: code, reason, retryAfter: firstNumber(details?.retryAfterSeconds) };
  return new ApiError(`${what}: ${message} (${reason || code})`, facts);
}

/** No answer, or one that could not be read to its end. */
export function unanswered(what: string, url: string, cause: unknown): ApiError {
  const reason = cause instanceof TooLargeError ? 'TooLarge' : '';
  const message = `${what}: no usable answer from the API server at ${url}: ${wordsOf(cause)}`;
  return new ApiError(message, { status: 0, reason }, { cause });
}

function parseStatus(body: string): Status | undefined {
  try {
    const value = JSON.parse(body) as { kind?: unknown } | null;
    return value?.kind === 'Status' ? (value as Status) : undefined;
  } catch {
    return undefined;
  }
}

/** What is no number would be no time to wait, and there would be no pause at all. */
function firstNumber(...values: readonly unknown[]): number | undefined {
  return values.find((value): value is number => Number.isFinite(value));
}

/** Said by no object, but by the path. */
function unknownPath(code: number): string {
  if (code !== 404) return '';
  return 'the API server does not know this kind of object: is its CustomResourceDefinition installed?';
}

function excerpt(body: string): string {
  return body.replace(/\s+/g, ' ').trim().slice(0, LONGEST_EXCERPT);
}

function wordsOf(error: unknown): string {
  // Where a name has several addresses, the words are in the errors of each.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(wordsOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
