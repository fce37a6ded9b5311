import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FoundBlob } from '../blob-store/blob-store.ts';
import { drain } from '../blob-store/verified-body.ts';
import { ServiceError, toServiceError } from '../errors.ts';
import { parseDigest } from '../keys/key.ts';
import { abortWhenClientLeaves } from './client-left.ts';
import type { DataContext } from './data-context.ts';
import { reservation } from './limits.ts';
import { getFields, keyParameter, type Query, single } from './request-fields.ts';
import { assertKeyServed, assertUnrestricted } from './served-namespaces.ts';
import type { Transfer } from './transfer-watch.ts';

/** `GET /v2/blobs/get?key=`: 200 and the bytes. */
export function getBlob(context: DataContext) {
  return handler(context, async (query, signal) => {
    const key = keyParameter(query);
    assertKeyServed(context.namespaces, key);
    return await context.store.get(key, signal);
  });
}

/** `GET /v1/blobs/get?digest=`: what references of version 1 name; they are read, never written. */
export function getVersionOneBlob(context: DataContext) {
  return handler(context, async (query, signal) => {
    const digest = parseDigest(single(query.digest));
    assertUnrestricted(context.namespaces);
    return await context.store.getVersionOne(digest, signal);
  });
}

function handler(context: DataContext, find: (query: Query, signal: AbortSignal) => Promise<FoundBlob>) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1_000;
    try {
      const { expectedLength } = getFields(request.headers);
      const stop = new AbortController();
      abortWhenClientLeaves(reply.raw, stop);
      const blob = await find(request.query as Query, stop.signal);
      await deliver(context, reply, blob, expectedLength, stop.signal);
      context.metrics.recordGet(blob.size, seconds());
    } catch (error) {
      const answer = toServiceError(error);
      context.metrics.recordGetError(answer.code, seconds());
      if (!reply.raw.headersSent) throw answer;
      if (answer.code !== 'body_incomplete') {
        context.log.warn({ code: answer.code, err: answer }, 'GET broken off before its last bytes');
      }
      reply.raw.destroy();
    }
  };
}

async function deliver(
  { budget, watch }: DataContext,
  reply: FastifyReply,
  blob: FoundBlob,
  expectedLength: number,
  signal: AbortSignal,
): Promise<void> {
  let release = () => {};
  const transfer = watch.begin(() => reply.raw.destroy());
  try {
    release = budget.reserve(reservation(blob.size));
    if (blob.size !== expectedLength) await refuseLength(blob, expectedLength, signal);
    await send(blob, reply, transfer);
  } finally {
    transfer.end();
    release();
    await blob.close();
  }
}

/** Either the reference or the stored object is wrong; the digest tells which. */
async function refuseLength(blob: FoundBlob, expectedLength: number, signal: AbortSignal): Promise<never> {
  await drain(blob.chunks(), signal);
  throw new ServiceError(
    'expected_length_mismatch',
    `the payload has ${blob.size} bytes, not the expected ${expectedLength}`,
  );
}

/** The head goes out only with the first verified bytes, so that a damaged small payload still answers 502. */
async function send(blob: FoundBlob, reply: FastifyReply, transfer: Transfer): Promise<void> {
  const response = reply.raw;
  const head = { 'Content-Type': 'application/octet-stream', 'Content-Length': blob.size };
  let sent = 0;
  for await (const chunk of blob.chunks()) {
    if (sent === 0) {
      reply.hijack();
      response.writeHead(200, head);
    }
    sent += chunk.length;
    transfer.wait();
    await write(response, chunk, sent === blob.size);
    transfer.moved(chunk.length);
  }
  if (sent > 0) return;
  reply.hijack();
  response.writeHead(200, head).end();
}

/** Resolves when the socket has taken the chunk, which may then be overwritten. */
function write(response: ServerResponse, chunk: Buffer, last: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const left = () =>
      reject(new ServiceError('body_incomplete', 'the client left, or took the payload too slowly'));
    if (response.destroyed) return left();
    response.once('close', left);
    const taken = () => {
      response.off('close', left);
      resolve();
    };
    if (last) response.end(chunk, taken);
    else response.write(chunk, (error) => (error == null ? taken() : left()));
  });
}
