import type { IncomingMessage } from 'node:http';
import { ApiError } from './api.ts';
import { TooLargeError } from './http-exchange.ts';

/** The fields of a `Status` that are read. */
interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: unknown };
}

/** Longest part shown of an answer that is no `Status`: a proxy's page, for example. */
const LONGEST_EXCERPT = 200;

type Head = Pick<IncomingMessage, 'statusCode' | 'headers'>;

/** @param what the call, such as `get configmaps shop/main-config` */
export function refusal(what: string, answer: Head, body: string): ApiError {
  const status = parseStatus(body);
  const code = answer.statusCode ?? 0;
  const message = status?.message || unknownPath(code) || excerpt(body) || 'no message';
  const header = Number(answer.headers['retry-after'] ?? Number.NaN);
  const retryAfterSeconds = firstNumber(header, status?.details?.retryAfterSeconds);
  const reason = status?.reason ?? '';
  return new ApiError(`${what}: ${message} (HTTP ${code})`, { status: code, reason, retryAfterSeconds });
}

/** The failure that a watch reports in its last event. */
export function watchRefusal(what: string, status: Status): ApiError {
  const { message = 'no message', reason = '', code = 500, details } = status;
  const facts = { status: code, reason, retryAfterSeconds: firstNumber(details?.retryAfterSeconds) };
  return new ApiError(`${what}: ${message} (${reason || code})`, facts);
}

/** There was no answer, or it could not be read to its end. */
export function unanswered(what: string, url: string, cause: unknown): ApiError {
  const reason = cause instanceof TooLargeError ? 'TooLarge' : '';
  const message = `${what}: no usable answer from the API server at ${url}: ${messageOf(cause)}`;
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

/** Anything else than a number would give no pause at all. */
function firstNumber(...values: readonly unknown[]): number | undefined {
  return values.find((value): value is number => Number.isFinite(value));
}

/** A 404 without a `Status` is about the path, not about an object. */
function unknownPath(code: number): string {
  if (code !== 404) return '';
  return 'the API server does not know this kind of object: is its CustomResourceDefinition installed?';
}

function excerpt(body: string): string {
  return body.replace(/\s+/g, ' ').trim().slice(0, LONGEST_EXCERPT);
}

function messageOf(error: unknown): string {
  // Where a host name has several addresses, the messages are in the errors of each.
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.map(messageOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
