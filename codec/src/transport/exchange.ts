import {
  type ClientRequest,
  type Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { PayloadStoreUnavailableError } from '../wire/errors.ts';
import { BodySender, type RequestBody } from './request-body.ts';
import type { ServiceAccess } from './service-access.ts';
import { untrustedServer } from './untrusted-server.ts';

/** How requests reach a service. */
export interface Connection {
  readonly agent: HttpAgent;
  readonly access: ServiceAccess;
  /** Milliseconds without a byte in either direction after which a request fails. */
  readonly idleTimeoutMs: number;
}

export interface Call {
  readonly method: 'GET' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: { readonly content: RequestBody; readonly size: number } | undefined;
  /** Milliseconds to wait for the answer's head when the body is sent; by default those of the connection. */
  readonly answerTimeoutMs?: number;
  /** Key for error messages. */
  readonly key?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  /** Its body is unread; its stream fails with PayloadStoreUnavailableError when the idle timeout passes. */
  readonly response: IncomingMessage;
  /** Whether the service had the whole request body when it answered. */
  readonly isBodySent: boolean;
}

/**
 * Makes one request and resolves with the head of its answer, whatever the status; redirects are not followed. An
 * answer that arrives while the body is still being sent ends the sending and counts.
 * @throws PayloadStoreUnavailableError when there is no answer, the server is not trusted, or a file of the access cannot
 * be read; the signal's reason when aborted; the body's own error when it cannot be read.
 */
export async function exchange(connection: Connection, call: Call): Promise<Answer> {
  call.signal?.throwIfAborted();
  const shown = await connection.access.headers();
  return sendRequest(connection, { ...call, headers: { ...call.headers, ...shown } });
}

function sendRequest(connection: Connection, call: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    call.signal?.throwIfAborted();
    const request = openRequest(connection, call);
    const sender = new BodySender(request, call.body?.size ?? 0);
    let response: IncomingMessage | undefined;
    let idleTimeoutMs = connection.idleTimeoutMs;

    const fail = (failure: unknown) => {
      sender.stop();
      reject(call.signal?.aborted ? call.signal.reason : failure);
    };
    request.on('response', (head) => {
      response = head;
      idleTimeoutMs = connection.idleTimeoutMs;
      request.setTimeout(idleTimeoutMs);
      sender.stop();
      head.on('close', () => {
        // The rest of an unfinished request would be taken for the next one: the connection cannot be used again.
        if (!sender.isComplete) request.destroy();
      });
      resolve({ response: head, isBodySent: sender.isComplete });
    });
    request.on('error', (cause) => {
      const untrusted = untrustedServer(cause, call.url.host, call.key);
      if (untrusted !== undefined) connection.access.serverUntrusted();
      fail(untrusted ?? asUnavailable(cause, call.key));
    });
    request.on('close', () =>
      fail(asUnavailable(new Error('connection closed without an answer'), call.key)),
    );
    request.on('timeout', () => expire(request, response, idleTimeoutMs, call.key));

    const sent = () => {
      if (response !== undefined) return;
      idleTimeoutMs = call.answerTimeoutMs ?? idleTimeoutMs;
      request.setTimeout(idleTimeoutMs);
    };
    sender.send(call.body?.content ?? new Uint8Array()).then(sent, (failure: unknown) => {
      fail(failure);
      request.destroy();
    });
  });
}

function openRequest(connection: Connection, call: Call): ClientRequest {
  const open = call.url.protocol === 'https:' ? httpsRequest : httpRequest;
  return open(call.url, {
    method: call.method,
    headers: call.headers,
    agent: connection.agent,
    timeout: connection.idleTimeoutMs,
    ...(call.signal && { signal: call.signal }),
  });
}

function expire(
  request: ClientRequest,
  response: IncomingMessage | undefined,
  idleTimeoutMs: number,
  key: string | undefined,
): void {
  const isWaitingForReader = response !== undefined && (response.complete || response.readableLength > 0);
  if (isWaitingForReader) {
    request.socket?.setTimeout(idleTimeoutMs);
    return;
  }
  const failure = new PayloadStoreUnavailableError(`no progress for ${idleTimeoutMs} ms`, { key });
  (response ?? request).destroy(failure);
}

function asUnavailable(cause: Error, key: string | undefined): PayloadStoreUnavailableError {
  if (cause instanceof PayloadStoreUnavailableError) return cause;
  return new PayloadStoreUnavailableError(`the blob service cannot be reached: ${reasonOf(cause)}`, {
    key,
    cause,
  });
}

/** For people. Of a failed handshake OpenSSL says what only experts understand; the cause keeps that. */
function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (!/^(EPROTO$|ERR_SSL_)/.test(code ?? '')) return message;
  return `no TLS connection can be made (${code}): it has no certificate yet, or takes no TLS at this port`;
}
