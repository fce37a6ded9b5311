import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors/service-error.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { buildApp } from '../http/app.ts';
import { abortWhenClientLeaves } from '../http/client-left.ts';
import { peerOf } from '../http/peer.ts';
import { parseNamespace } from '../keys/key.ts';
import type { CodecContext } from './codec-context.ts';
import { decodeAll } from './decode.ts';
import { encodeAll } from './encode.ts';
import { admitOrigins, answerPreflight } from './origins.ts';
import { type JsonPayload, parsePayloads } from './payloads-json.ts';
import { assertReadable, readBody } from './read-body.ts';
import { sendPayloads } from './send-payloads.ts';

const LONGEST_NAMESPACE = 255;
const DEFAULT_NAMESPACE = 'default';
/** Longer than clients keep connections: a call on one that is just being closed would fail. */
const KEEP_ALIVE_TIMEOUT = 120_000;

type Answer = AsyncIterable<JsonPayload> | Iterable<JsonPayload>;

/** One call's way from its payloads to those of its answer. */
type Work = (payloads: readonly JsonPayload[], request: FastifyRequest, left: AbortSignal) => Promise<Answer>;

/** Temporal's remote codec protocol, not listening yet. */
export function buildCodecApp(
  context: CodecContext,
  origins: ReadonlySet<string>,
  isDraining: () => boolean,
): FastifyInstance {
  const { limits, log } = context;
  const decode = codecCall(context, async (payloads, _request, left) =>
    decodeAll(payloads, context, { left, late: AbortSignal.timeout(limits.workTime) }),
  );
  const encode = codecCall(context, (payloads, request, left) =>
    encodeAll(payloads, namespaceOf(request), context, left),
  );
  const app = buildApp(
    log,
    ['', '/:namespace'].flatMap((prefix) => [
      { method: 'POST', url: `${prefix}/decode`, handler: decode } as const,
      { method: 'POST', url: `${prefix}/encode`, handler: encode } as const,
    ]),
    {
      ...{ connections: limits.connections, headersTimeout: limits.headersTimeout },
      ...{ keepAliveTimeout: KEEP_ALIVE_TIMEOUT, requestTimeout: 0, answersExpect: true },
    },
    { routerOptions: { maxParamLength: LONGEST_NAMESPACE } },
  );
  app.addHook('onRequest', admitOrigins(origins, log));
  app.addHook('onRequest', answerPreflight);
  app.addHook('onRequest', async (_request, reply) => {
    if (!isDraining()) return;
    reply.header('Connection', 'close');
    throw new ServiceError('draining', 'this process is ending; try again');
  });
  return app;
}

/** Body, work and answer of one call are held by one place in the gate: they are its memory. */
function codecCall(context: CodecContext, work: Work) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    assertReadable(request.headers, context);
    const stop = new AbortController();
    abortWhenClientLeaves(reply.raw, stop);
    const peer = peerOf(request.raw);
    const leave = await context.gate.reserve(peer, 1, stop.signal);
    try {
      const payloads = parsePayloads(await readBody(request, reply, context, stop), context.limits.payloads);
      const answer = await work(payloads, request, stop.signal);
      reply.hijack();
      await deliver(context, reply.raw, answer, { peer, left: stop.signal });
    } catch (error) {
      // Temporal's CLI shows a timeout in place of what is answered, so it has to be found here.
      const { code, message: reason } = toServiceError(error);
      if (!stop.signal.aborted) context.log.warn({ code, reason }, 'refused a call');
      throw error;
    } finally {
      leave();
    }
  };
}

async function deliver(
  { limits, watch, log }: CodecContext,
  response: ServerResponse,
  answer: Answer,
  { peer, left }: { peer: string; left: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + limits.workTime + limits.answerTimeMs;
  const transfer = watch.begin({ peer, units: 1, deadline, onExpired: () => response.destroy() });
  try {
    await sendPayloads(response, answer, transfer);
  } catch (error) {
    if (!left.aborted) log.error({ err: error }, 'an answer broke off');
    response.destroy();
  } finally {
    transfer.end();
  }
}

/**
 * From the path, which Temporal's CLI fills in for `{namespace}`, or from the header that it and the Web UI send. The CLI
 * leaves both empty when it is given no namespace, by which Temporal's clients mean "default".
 */
function namespaceOf({ params, headers }: FastifyRequest): string | undefined {
  const { namespace: inPath } = params as { namespace?: string };
  const inHeader = headers['x-namespace'];
  if (inPath !== undefined && inHeader !== undefined && inPath !== inHeader) {
    throw new ServiceError('invalid_namespace', 'the path and X-Namespace name different namespaces');
  }
  const namespace = inPath ?? inHeader;
  return namespace === undefined ? undefined : parseNamespace(String(namespace) || DEFAULT_NAMESPACE);
}
