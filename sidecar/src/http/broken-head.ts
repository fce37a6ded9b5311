import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { RETRY_AFTER_SECONDS, ServiceError } from '../errors/service-error.ts';
import { connectionsOf } from './connections.ts';
import { errorBody } from './error-answers.ts';
import { UNREAD_TIME } from './unread-body.ts';

/** Connections with a refusal on its way. */
const refused = new WeakSet<Socket>();

/** Answers a request whose head never became a request: too large, too slow, or not HTTP; and one that ends too early. */
export function answerBrokenHead(error: Error & { code?: string }, socket: Socket): void {
  // Node reports each further chunk too. Destroying the socket with bytes unread would destroy the refusal (RFC 9112, 9.6).
  if (refused.has(socket) && error.code !== 'ECONNRESET') return;
  if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(socket)) {
    socket.destroy(error);
    return;
  }
  refused.add(socket);
  const refusal = refusalOf(error.code, socket);
  const body = JSON.stringify(errorBody(refusal));
  socket.end(
    [
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...(refusal.status === 503 ? [`Retry-After: ${RETRY_AFTER_SECONDS}`] : []),
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), UNREAD_TIME);
  socket.once('close', () => clearTimeout(timer));
}

/** Whether part of another answer is out, into whose body ours would go. Node's own handler asks the same way. */
function isAnswering(socket: Socket & { _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}

function refusalOf(code: string | undefined, socket: Socket): ServiceError {
  if (code === 'HPE_HEADER_OVERFLOW') return tooLarge(socket);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new ServiceError('request_timeout', 'the request head arrived too slowly');
  // A network in between may end one direction only, and the client, who sent a right request, still reads the answer.
  if (code === 'HPE_INVALID_EOF_STATE')
    return new ServiceError('body_incomplete', 'the connection ended before the request was complete');
  return new ServiceError('malformed_request', 'this is not an HTTP/1.1 request');
}

/** A head that another connection may send can be sent again, on a connection that is made in the place of an idle one. */
function tooLarge(socket: Socket): ServiceError {
  const connections = connectionsOf(socket);
  const limit = connections?.headLimitOf(socket);
  if (connections === undefined || limit === undefined || limit.isLargest) {
    const size = limit === undefined ? '' : ` than ${limit.bytes / 1024} KiB, X-Temporal-Metadata included`;
    return new ServiceError('headers_too_large', `the request head is larger${size}, or has too many lines`);
  }
  connections.makeRoomForLargeHead();
  return new ServiceError(
    'busy',
    `too many connections are open for a request head of more than ${limit.bytes / 1024} KiB; try again shortly on a new one`,
  );
}
