import type { FastifyReply, FastifyRequest } from 'fastify';
import { drain } from '../bytes/byte-streams.ts';
import type { AdmittedCaller } from '../callers/callers.ts';
import type { StoredBlob } from '../drivers/driver.ts';
import { ServiceError } from '../errors/service-error.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { abortWhenClientLeaves } from '../http/client-left.ts';
import { parseDigest } from '../keys/key.ts';
import type { GetRequest } from '../payload-service/payload-service.ts';
import type { DataContext } from './data-context.ts';
import { getReservation } from './limits.ts';
import { expectedLengthOf, keyParameter, type Query, single } from './request-fields.ts';
import { sendBlob } from './send-blob.ts';

/** `GET /v2/blobs/get?key=`: 200 and the bytes. */
export function getBlob(context: DataContext) {
  return handler(context, (query, caller) => {
    const key = keyParameter(query);
    context.callers.assertMayGet(caller, key);
    return (wanted) => context.service.get(key, wanted);
  });
}

/** `GET /v1/blobs/get?digest=`: what references of version 1 name; they are read, never written. */
export function getVersionOneBlob(context: DataContext) {
  return handler(context, (query, caller) => {
    const digest = parseDigest(single(query.digest));
    context.callers.assertMayGetVersionOne(caller);
    return (wanted) => context.service.getVersionOne(digest, wanted);
  });
}

/** Opens what a request asks for. @throws ServiceError, before that, when its caller may not have it */
type Find = (query: Query, caller: AdmittedCaller) => (wanted: GetRequest) => Promise<StoredBlob>;

function handler(context: DataContext, find: Find) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1_000;
    // An answer that stands behind another one of its connection would stay there when it is destroyed itself.
    const breakOff = () => request.raw.socket.destroy();
    const stop = new AbortController();
    abortWhenClientLeaves(reply.raw, stop);
    try {
      const caller = await context.callers.identify(request.raw);
      const expectedSize = expectedLengthOf(request.headers);
      const open = find(request.query as Query, caller);
      // Before the payload is opened, so that requests that wait in line hold no connection or file of the storage.
      const release = await context.budget.reserve(caller.peer, getReservation(expectedSize), stop.signal);
      try {
        const wanted = { caller, signal: stop.signal, expectedSize };
        const payload = await open(wanted);
        await deliver(context, reply, payload, { ...wanted, breakOff });
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
      breakOff();
    }
  };
}

interface Delivery extends GetRequest {
  /** ends the connection */
  readonly breakOff: () => void;
}

async function deliver(
  context: DataContext,
  reply: FastifyReply,
  payload: StoredBlob,
  delivery: Delivery,
): Promise<void> {
  const { peer } = delivery.caller;
  const units = getReservation(payload.size);
  const transfer = context.watch.begin({ peer, units, onExpired: delivery.breakOff });
  try {
    if (payload.size !== delivery.expectedSize) await refuseLength(context, payload, delivery);
    await sendBlob(payload, reply.raw, transfer, () => reply.hijack());
  } finally {
    transfer.end();
    await payload.close();
  }
}

/** Either the reference or the stored object is wrong; reading the object decides. The reservation so far is for the expected length. */
async function refuseLength(
  { budget }: DataContext,
  payload: StoredBlob,
  { caller, expectedSize, signal }: Delivery,
): Promise<never> {
  const release = await budget.reserve(caller.peer, getReservation(payload.size), signal);
  await drain(payload, signal).finally(release);
  throw new ServiceError(
    'expected_length_mismatch',
    `the payload has ${payload.size} bytes, not the expected ${expectedSize}`,
  );
}
