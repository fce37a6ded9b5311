import { metadataHash } from '@largepayload/codec/wire/metadata';
import type { PutOutcome } from '../../bytes/object-writer.ts';
import { ERROR_TABLE, type ErrorCode, ServiceError } from '../../errors/service-error.ts';
import { badAnswerOf } from '../../http-client/errors.ts';
import type { AnswerBody, TransportAnswer } from '../../http-client/transport.ts';
import { type BlobKey, readKey } from '../../keys/key.ts';
import type { PutRequest, PutResult } from '../payload-service.ts';

const OUTCOMES: Readonly<Record<number, PutOutcome>> = { 200: 'existed', 201: 'created' };
const OCTETS = /^application\/octet-stream\s*(;|$)/i;
/** The longest message of a gateway has a key, of up to 1,024 bytes. */
const LONGEST_MESSAGE = 4_096;

/**
 * What the gateway acknowledged. An answer counts as an acknowledgement only with proof that it is of this PUT.
 * @throws the error that the gateway answered; Error of `badAnswer` for what is not a gateway's answer
 */
export function acknowledgementOf(answer: TransportAnswer, request: PutRequest): PutResult {
  const outcome = OUTCOMES[answer.statusCode];
  if (outcome === undefined) throw errorOf(answer, 'PUT');
  if (!answer.sent) throw badAnswerOf(answer, 'before the whole body was sent');
  const { Key: text } = objectOf(answer.body);
  const key = typeof text === 'string' ? readKey(text) : undefined;
  if (typeof text !== 'string' || key === undefined) throw badAnswerOf(answer, 'without a key');
  if (!isKeyOf(key, request)) throw badAnswerOf(answer, 'with the key of another payload');
  return { key: text, outcome };
}

function isKeyOf(key: BlobKey, { namespace, facts, metadata, keyPrefix }: PutRequest): boolean {
  return (
    key.namespace === namespace &&
    key.digest === facts.digest &&
    key.metadataHash === metadataHash(metadata) &&
    (keyPrefix === undefined || key.keyPrefix === keyPrefix)
  );
}

/**
 * The body of a GET's answer, which brings as many bytes as the reference of the worker says: a gateway refuses a request
 * whose size is another one.
 * @throws as `acknowledgementOf`
 */
export function payloadOf(answer: TransportAnswer, expectedSize: number): AnswerBody {
  const { statusCode, headers, body } = answer;
  if (Buffer.isBuffer(body)) throw errorOf(answer, 'GET');
  const isPayload = OCTETS.test(headers['content-type'] ?? '');
  if (statusCode === 200 && isPayload && headers['content-length'] === String(expectedSize)) return body;
  void body.close();
  const fault = isPayload ? `with ${headers['content-length']} bytes instead of ${expectedSize}` : undefined;
  throw badAnswerOf(answer, fault);
}

/**
 * The error that the gateway answered: a code of the wire protocol with its status, and `key_not_found` only to a GET
 * (docs/wire-errors.md, "Retries"). Anything else may come from a proxy, and proves nothing about a payload.
 */
function errorOf(answer: TransportAnswer, method: 'PUT' | 'GET'): Error {
  const { error } = objectOf(answer.body);
  const { code, message } = (error ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || !Object.hasOwn(ERROR_TABLE, code)) return badAnswerOf(answer);
  const known = code as ErrorCode;
  if (ERROR_TABLE[known].status !== answer.statusCode) return badAnswerOf(answer);
  if (known === 'key_not_found' && method !== 'GET') return badAnswerOf(answer);
  const text = typeof message === 'string' ? message.slice(0, LONGEST_MESSAGE) : '';
  return new ServiceError(known, text, { retryAfterSeconds: secondsOf(answer.headers['retry-after']) });
}

function secondsOf(header: string | undefined): number | undefined {
  return /^[0-9]{1,4}$/.test(header ?? '') ? Number(header) : undefined;
}

function objectOf(body: TransportAnswer['body']): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.isBuffer(body) ? body.toString() : '');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
