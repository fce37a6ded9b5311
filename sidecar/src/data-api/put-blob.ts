import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors/service-error.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { abortWhenClientLeaves } from '../http/client-left.ts';
import { RequestBody } from '../http/request-body.ts';
import type { Expiry } from '../http/transfer-watch.ts';
import { waitsForContinue } from '../http/unread-body.ts';
import type { Caller, PutResult } from '../payload-service/payload-service.ts';
import { type Moment, momentNow } from '../time/moment.ts';
import type { DataContext } from './data-context.ts';
import { putReservation } from './limits.ts';
import { type PutFields, putFields, type Query } from './request-fields.ts';

/** `PUT /v2/blobs/put?namespace=&digest=`: 201 when the payload was stored, 200 when it was there; `{"Key": …}`. */
export function putBlob(context: DataContext) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const received = momentNow();
    const seconds = () => (performance.now() - received.monotonicTime) / 1_000;
    const stop = new AbortController();
    abortWhenClientLeaves(reply.raw, stop);
    try {
      const caller = await context.callers.identify(request.raw);
      const fields = putFields(request.headers, request.query as Query, context.limits.maxPayloadSize);
      context.callers.assertMayPut(caller, fields.namespace);
      const { key, outcome } = await store(context, { request, reply, caller, fields, received, stop });
      context.metrics.recordPut(outcome, fields.facts.size, seconds());
      return reply.code(outcome === 'created' ? 201 : 200).send({ Key: key });
    } catch (error) {
      context.metrics.recordPutError(toServiceError(error).code, seconds());
      throw error;
    }
  };
}

interface AdmittedPut {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly caller: Caller;
  readonly fields: PutFields;
  readonly received: Moment;
  /** aborted when the client leaves */
  readonly stop: AbortController;
}

async function store(
  { budget, watch, limits, service }: DataContext,
  { request, reply, caller, fields, received, stop }: AdmittedPut,
): Promise<PutResult> {
  const { signal } = stop;
  const { peer } = caller;
  const units = putReservation(fields.facts.size);
  const deadline = received.monotonicTime + limits.putTimeLimitMs;
  const release = await budget.reserve(peer, units, signal, deadline);
  const onExpired = (reason: Expiry) => stop.abort(EXPIRED[reason]());
  const delayedMs = performance.now() - received.monotonicTime;
  const transfer = watch.begin({ peer, units, deadline, delayedMs, onExpired });
  try {
    // Node sends this by itself only without a listener for `checkContinue`. We have one, so that no refused body is sent.
    const onRead = () => {
      if (waitsForContinue(request.raw)) reply.raw.writeContinue();
    };
    const body = new RequestBody(request.raw, transfer, signal, onRead);
    return await service.put({ ...fields, body, received, caller, deadline, signal });
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
