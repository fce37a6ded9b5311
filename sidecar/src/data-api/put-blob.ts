import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors/service-error.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { abortWhenClientLeaves } from '../http/client-left.ts';
import { peerOf } from '../http/peer.ts';
import { RequestBody } from '../http/request-body.ts';
import { waitsForContinue } from '../http/unread-body.ts';
import type { PutResult } from '../payload-service/blob-store/blob-store.ts';
import { type Moment, momentNow } from '../time/moment.ts';
import type { DataContext } from './data-context.ts';
import { putReservation } from './limits.ts';
import { type PutFields, putFields, type Query } from './request-fields.ts';
import { assertServed } from './served-namespaces.ts';

/** `PUT /v2/blobs/put?namespace=&digest=`: 201 when the payload was stored, 200 when it was there; `{"Key": …}`. */
export function putBlob(context: DataContext) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const received = momentNow();
    const seconds = () => (performance.now() - received.monotonicTime) / 1_000;
    try {
      const { maxPayloadSize } = context.limits;
      const limits = { maxPayloadSize, longestName: context.store.longestName };
      const fields = putFields(request.headers, request.query as Query, limits);
      assertServed(context.namespaces, fields.namespace);
      const { key, outcome } = await store(context, request, reply, fields, received);
      context.metrics.recordPut(outcome, fields.size, seconds());
      return reply.code(outcome === 'created' ? 201 : 200).send({ Key: key });
    } catch (error) {
      context.metrics.recordPutError(toServiceError(error).code, seconds());
      throw error;
    }
  };
}

async function store(
  { budget, watch, store }: DataContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { namespace, keyPrefix, metadataHash, digest, size }: PutFields,
  received: Moment,
): Promise<PutResult> {
  const stop = new AbortController();
  abortWhenClientLeaves(reply.raw, stop);
  const peer = peerOf(request.raw);
  const units = putReservation(size);
  const release = await budget.reserve(peer, units, stop.signal);
  const transfer = watch.begin({
    ...{ peer, units, deadline: received.monotonicTime + store.putTimeLimit },
    onExpired: (reason) => stop.abort(EXPIRED[reason]()),
  });
  try {
    // Node sends this by itself only where nobody listens for `checkContinue`; here a refused body is never sent.
    if (waitsForContinue(request.raw)) reply.raw.writeContinue();
    const body = new RequestBody(request.raw, transfer, stop.signal);
    const facts = { size, digest };
    return await store.put({
      namespace,
      keyPrefix,
      metadataHash,
      facts,
      body,
      received,
      signal: stop.signal,
    });
  } finally {
    transfer.end();
    release();
  }
}

const EXPIRED = {
  slow: () => new ServiceError('request_timeout', 'the body arrived too slowly'),
  contended: () =>
    new ServiceError('request_timeout', 'the body arrived too slowly while others waited for its place'),
  deadline: () => new ServiceError('put_timeout', 'the payload took longer to store than this store allows'),
};
