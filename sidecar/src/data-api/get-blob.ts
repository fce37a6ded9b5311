import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { drain } from '../bytes/byte-streams.ts';
import type { StoredBlob } from '../drivers/driver.ts';
import { ServiceError } from '../errors/service-error.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { abortWhenClientLeaves } from '../http/client-left.ts';
import { peerOf } from '../http/peer.ts';
import type { Transfer } from '../http/transfer-watch.ts';
import { parseDigest } from '../keys/key.ts';
import type { Call } from '../payload-service/payload-service.ts';
import type { DataContext } from './data-context.ts';
import { getReservation } from './limits.ts';
import { expectedLengthOf, keyParameter, type Query, single } from './request-fields.ts';
import { assertKeyServed, assertUnrestricted } from './served-namespaces.ts';

/** A peer that was waited for so long (ms) is taken to be slow. */
const SLOW_AGE = 500;
const SMALL_PIECE = 64 * 1024;

/** `GET /v2/blobs/get?key=`: 200 and the bytes. */
export function getBlob(context: DataContext) {
  return handler(context, async (query, call) => {
    const key = keyParameter(query);
    assertKeyServed(context.namespaces, key);
    return await context.service.get(key, call);
  });
}

/** `GET /v1/blobs/get?digest=`: what references of version 1 name; they are read, never written. */
export function getVersionOneBlob(context: DataContext) {
  return handler(context, async (query, call) => {
    const digest = parseDigest(single(query.digest));
    assertUnrestricted(context.namespaces);
    return await context.service.getVersionOne(digest, call);
  });
}

function handler(context: DataContext, find: (query: Query, call: Call) => Promise<StoredBlob>) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1_000;
    try {
      const expectedLength = expectedLengthOf(request.headers);
      const stop = new AbortController();
      abortWhenClientLeaves(reply.raw, stop);
      const peer = peerOf(request.raw);
      // Before the payload is opened, so that requests that wait in line hold no connection or file of the storage.
      const release = await context.budget.reserve(peer, getReservation(expectedLength), stop.signal);
      try {
        const call = { caller: { peer }, signal: stop.signal };
        const payload = await find(request.query as Query, call);
        await deliver(context, reply, payload, { ...call, expectedLength });
        context.metrics.recordGet(payload.size, seconds());
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

interface Delivery extends Call {
  readonly expectedLength: number;
}

async function deliver(
  context: DataContext,
  reply: FastifyReply,
  payload: StoredBlob,
  delivery: Delivery,
): Promise<void> {
  const { peer } = delivery.caller;
  const units = getReservation(payload.size);
  const transfer = context.watch.begin({ peer, units, onExpired: () => reply.raw.destroy() });
  try {
    if (payload.size !== delivery.expectedLength) await refuseLength(context, payload, delivery);
    await send(payload, reply, transfer);
  } finally {
    transfer.end();
    await payload.close();
  }
}

/** Either the reference or the stored object is wrong; reading the object decides. The reservation so far is for the expected length. */
async function refuseLength(
  { budget }: DataContext,
  payload: StoredBlob,
  { caller, expectedLength, signal }: Delivery,
): Promise<never> {
  const release = await budget.reserve(caller.peer, getReservation(payload.size), signal);
  await drain(payload, signal).finally(release);
  throw new ServiceError(
    'expected_length_mismatch',
    `the payload has ${payload.size} bytes, not the expected ${expectedLength}`,
  );
}

/** The head goes out only with the first verified bytes, so that a damaged small payload still answers 502. */
async function send(payload: StoredBlob, reply: FastifyReply, transfer: Transfer): Promise<void> {
  const response = reply.raw;
  const begin = () => {
    reply.hijack();
    return response.writeHead(200, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': payload.size,
    });
  };
  let sent = 0;
  await payload.readInto({
    async write(chunk) {
      if (sent === 0) begin();
      for (const piece of piecesOf(chunk, transfer)) {
        sent += piece.length;
        transfer.wait();
        await write(response, piece, sent === payload.size);
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
