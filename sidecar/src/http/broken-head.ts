import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, ServiceError } from '../errors.ts';
import { errorBody } from './error-answers.ts';
import { UNREAD_TIME } from './unread-body.ts';

/** Answers a request whose head never became a request: too large, too slow, or not HTTP. */
export function answerBrokenHead(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(socket)) {
    socket.destroy(error);
    return;
  }
  const refusal = refusalOf(error.code);
  const body = JSON.stringify(errorBody(refusal));
  socket.end(
    [
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
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

const REFUSALS: Record<string, [ErrorCode, string]> = {
  HPE_HEADER_OVERFLOW: [
    'headers_too_large',
    'the request head is too large; X-Temporal-Metadata may hold about 250 KB',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'the request head arrived too slowly'],
};

function refusalOf(code: string | undefined): ServiceError {
  const [refusal, message] = REFUSALS[code ?? ''] ?? ['malformed_request', 'this is not an HTTP/1.1 request'];
  return new ServiceError(refusal, message);
}
