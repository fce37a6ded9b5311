import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ByteSource } from '../bytes/byte-streams.ts';
import { ServiceError } from '../errors/service-error.ts';
import { peerOf } from '../http/peer.ts';
import { RequestBody } from '../http/request-body.ts';
import { waitsForContinue } from '../http/unread-body.ts';
import type { CodecContext } from './codec-context.ts';

type BodyContext = Pick<CodecContext, 'limits' | 'watch'>;

/**
 * What can be said of a call before its body is read. A page can send `application/json` to a foreign server only after
 * a preflight, so nothing that needs none is served.
 * @throws ServiceError `unsupported_media_type`, `payload_too_large`
 */
export function assertReadable(headers: IncomingHttpHeaders, { limits }: BodyContext): void {
  if (!/^application\/json[ \t]*(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new ServiceError('unsupported_media_type', 'Content-Type must be application/json');
  }
  if (Number(headers['content-length'] ?? 0) > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
}

/** @throws ServiceError `payload_too_large`, `request_timeout`, `body_incomplete`; the reason of `stop` */
export async function readBody(
  { raw: request }: FastifyRequest,
  { raw: response }: FastifyReply,
  { limits, watch }: BodyContext,
  stop: AbortController,
): Promise<Buffer> {
  const slow = () => stop.abort(new ServiceError('request_timeout', 'the body arrived too slowly'));
  const transfer = watch.begin({
    ...{ peer: peerOf(request), units: 1, deadline: performance.now() + limits.bodyTime },
    onExpired: slow,
  });
  try {
    if (waitsForContinue(request)) response.writeContinue();
    return await collect(new RequestBody(request, transfer, stop.signal), limits.bodyBytes, request.headers);
  } finally {
    transfer.end();
  }
}

/** Into one piece of memory where the length is announced, so that the body is not held twice. */
async function collect(
  body: ByteSource,
  limit: number,
  { 'content-length': announced }: IncomingHttpHeaders,
): Promise<Buffer> {
  const whole = announced === undefined ? undefined : Buffer.allocUnsafeSlow(Number(announced));
  const chunks: Buffer[] = [];
  let size = 0;
  await body.readInto({
    write(chunk) {
      if (whole === undefined) chunks.push(Buffer.from(chunk));
      else chunk.copy(whole, size);
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      return undefined;
    },
  });
  return whole ?? Buffer.concat(chunks, size);
}

function tooLarge(limit: number): ServiceError {
  return new ServiceError(
    'payload_too_large',
    `the body is larger than ${limit} bytes, the most in one call`,
  );
}
