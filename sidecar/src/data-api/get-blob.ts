import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { drain } from '../bytes/byte-streams.ts';
import { ServiceError } from '../errors/service-error.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { abortWhenClientLeaves } from '../http/client-left.ts';
import { peerOf } from '../http/peer.ts';
import type { Transfer } from '../http/transfer-watch.ts';
import { parseDigest } from '../keys/key.ts';
import type { FoundBlob } from '../payload-service/blob-store/blob-store.ts';
import type { DataContext } from './data-context.ts';
import { getReservation } from './limits.ts';
import { getFields, keyParameter, type Query, single } from './request-fields.ts';
import { assertKeyServed, assertUnrestricted } from './served-namespaces.ts';

/** A peer that was waited for so long (ms) is taken to be slow. */
const SLOW_AGE = 500;
const SMALL_PIECE = 64 * 1024;

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
      const peer = peerOf(request.raw);
      // Before the blob is opened, so that those who wait in line hold nothing of the storage's.
      const release = await context.budget.reserve(peer, getReservation(expectedLength), stop.signal);
      try {
        const blob = await find(request.query as Query, stop.signal);
        await deliver(context, reply, blob, { peer, expectedLength, signal: stop.signal });
        context.metrics.recordGet(blob.size, seconds());
      } finally {
        release();
      }
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

interface Delivery {
  readonly peer: string;
  readonly expectedLength: number;
  readonly signal: AbortSignal;
}

async function deliver(
  context: DataContext,
  reply: FastifyReply,
  blob: FoundBlob,
  delivery: Delivery,
): Promise<void> {
  const { peer } = delivery;
  const units = getReservation(blob.size);
  const transfer = context.watch.begin({ peer, units, onExpired: () => reply.raw.destroy() });
  try {
    if (blob.size !== delivery.expectedLength) await refuseLength(context, blob, delivery);
    await send(blob, reply, transfer);
  } finally {
    transfer.end();
    await blob.close();
  }
}

/** Either the reference or the stored object is wrong; the digest tells which. What was reserved was for the expected length. */
async function refuseLength(
  { budget }: DataContext,
  blob: FoundBlob,
  { peer, expectedLength, signal }: Delivery,
): Promise<never> {
  const release = await budget.reserve(peer, getReservation(blob.size), signal);
  await drain(blob, signal).finally(release);
  throw new ServiceError(
    'expected_length_mismatch',
    `the payload has ${blob.size} bytes, not the expected ${expectedLength}`,
  );
}

/** The head goes out only with the first verified bytes, so that a damaged small payload still answers 502. */
async function send(blob: FoundBlob, reply: FastifyReply, transfer: Transfer): Promise<void> {
  const response = reply.raw;
  const begin = () => {
    reply.hijack();
    return response.writeHead(200, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': blob.size,
    });
  };
  let sent = 0;
  await blob.readInto({
    async write(chunk) {
      if (sent === 0) begin();
      for (const piece of piecesOf(chunk, transfer)) {
        sent += piece.length;
        transfer.wait();
        await write(response, piece, sent === blob.size);
        transfer.moved(piece.length);
      }
    },
  });
  if (sent === 0) begin().end();
}

/** A peer that is slow gets small pieces, as its progress shows only when a piece is taken. */
function* piecesOf(chunk: Buffer, transfer: Transfer): Generator<Buffer> {
  for (let at = 0, next = at; at < chunk.length; at = next) {
    next = transfer.age < SLOW_AGE ? chunk.length : Math.min(at + SMALL_PIECE, chunk.length);
    yield chunk.subarray(at, next);
  }
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
