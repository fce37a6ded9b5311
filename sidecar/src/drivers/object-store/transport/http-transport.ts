import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type ByteSource, sourceOf } from '../../../bytes/byte-streams.ts';
import { badAnswer } from '../failures.ts';
import type { HttpAgents } from './http-agents.ts';

/** Until there is a connection, with TLS and a proxy's tunnel. */
const CONNECT_LIMIT_MS = 5_000;
/** In which a connection that we wait for moves no byte. */
export const IDLE_LIMIT_MS = 30_000;
/** For the whole body of an answer that is not streamed. */
const BODY_LIMIT_MS = 30_000;
/** Until the head of an answer, from the last byte of the request. */
const ANSWER_LIMIT_MS = 8_000;
/** How long a body waits for `100 Continue`: a service that does not know the question never answers it. */
const CONTINUE_LIMIT_MS = 1_000;
/**
 * Bytes of a body in memory that are written together, and have `IDLE_LIMIT_MS` to leave. A PUT of 1 MiB by fewer and larger
 * writes costs an eighth less processor time.
 */
const WRITE_AHEAD = 512 * 1024;
/** Bytes of answers that are not streamed: a page of 1,000 keys of 1 KiB, each encoded as 3 KiB, is the largest. */
const LARGEST_COLLECTED = 4 * 1024 * 1024;
/** Bytes of an answer that reports a failure. */
const LARGEST_REFUSAL = 64 * 1024;

const EXPECTATION_FAILED = 417;
/** How long a service that closed the connection on the question is not asked again. */
const NOT_ASKED_FOR_MS = 60_000;
/** Codes of a connection that the other end closed. */
const CLOSED: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/** A request, signed. */
export interface TransportRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

export interface TransportOptions {
  readonly signal?: AbortSignal | undefined;
  /** until the head of the answer, from the last byte of the request */
  readonly answerLimitMs?: number | undefined;
  /** hand over the body of a successful answer as it arrives; `answerBody` reads and closes it, with `IDLE_LIMIT_MS` */
  readonly streamAnswer?: boolean | undefined;
  /** ask by `Expect: 100-continue` whether the body, a `ByteSource`, is wanted before it is sent, or taken from its source */
  readonly askFirst?: boolean | undefined;
}

export interface TransportAnswer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: IncomingMessage | Buffer;
  /** whether the whole body had been given to the connection when the answer began */
  readonly sent: boolean;
}

export class TransportTimeoutError extends Error {
  readonly code = 'ETIMEDOUT';
}

/**
 * Makes one request, or two: a service that refuses `Expect: 100-continue` gets the request again without it (RFC 9110,
 * 10.1.1), and all later requests too. Nothing of the body has left its source by then. A service that closes the connection
 * instead is not asked for a minute, as it may have closed an idle connection; the caller that retries still has the body.
 */
export async function exchange(
  agents: HttpAgents,
  request: TransportRequest,
  options: TransportOptions,
): Promise<TransportAnswer> {
  const endpoint = `${request.hostname}:${request.port ?? request.protocol}`;
  const { withoutExpect } = agents;
  const withoutQuestion = { ...options, askFirst: false };
  if (options.askFirst !== true || performance.now() < (withoutExpect.get(endpoint) ?? 0))
    return await exchangeOnce(agents, request, withoutQuestion);
  let begun = false;
  const source = request.body as ByteSource;
  const body: ByteSource = {
    readInto: (sink) => {
      begun = true;
      return source.readInto(sink);
    },
  };
  const answer = await exchangeOnce(agents, { ...request, body }, options).catch((error) => {
    if (!begun && CLOSED.has(error.code)) withoutExpect.set(endpoint, performance.now() + NOT_ASKED_FOR_MS);
    throw error;
  });
  if (answer.statusCode !== EXPECTATION_FAILED) return answer;
  withoutExpect.set(endpoint, Number.POSITIVE_INFINITY);
  return begun ? answer : await exchangeOnce(agents, request, withoutQuestion);
}

/**
 * Makes one request on a pooled connection. Every wait has a limit; waiting for the body's source does not count. The
 * signal, a limit, or a failure of the body (passed on as it is) ends the request early and closes the connection, so that the
 * service sees a body that is not whole.
 */
async function exchangeOnce(
  { agentFor }: HttpAgents,
  { protocol, hostname, port, method, path, headers, body }: TransportRequest,
  { signal, answerLimitMs = ANSWER_LIMIT_MS, streamAnswer = false, askFirst = false }: TransportOptions,
): Promise<TransportAnswer> {
  signal?.throwIfAborted();
  const secure = protocol === 'https:';
  const outgoing = (secure ? secureRequest : plainRequest)({
    // In a URL, an IPv6 address is in brackets.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(port === undefined ? {} : { port }),
    method,
    path,
    headers: askFirst ? { ...headers, Expect: '100-continue' } : headers,
    agent: agentFor(secure, hostname, port),
  });
  let incoming: IncomingMessage | undefined;
  const end = (reason: unknown) => (incoming ?? outgoing).destroy(reason as Error);
  const limit = timeLimit(end);
  const onAbort = () => end(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  outgoing.once('close', () => {
    limit.stop();
    signal?.removeEventListener('abort', onAbort);
  });
  limit.start('connection', CONNECT_LIMIT_MS);
  outgoing.once('finish', () => {
    if (incoming === undefined) limit.start('answer', answerLimitMs);
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('error', reject).once('response', (message) => {
      incoming = message;
      // The reader gets the error. Before there is a reader, an error without a listener would end the process.
      message.on('error', () => {});
      limit.stop();
      resolve(message);
    });
  });
  const sending = { outgoing, limit, bodyGiven: false };
  send(sending, body, { askFirst, length: Number(headers['content-length']) }).catch(end);
  const message = await answered;
  const { statusCode = 0 } = message;
  const answer = { statusCode, headers: flatHeaders(message), sent: sending.bodyGiven };
  if (streamAnswer && statusCode < 300) return { ...answer, body: message };
  const collected = await collect(message, statusCode < 300 ? LARGEST_COLLECTED : LARGEST_REFUSAL, limit);
  // The service answered before the body was sent, so it does not want the rest.
  if (!outgoing.writableFinished) outgoing.destroy();
  return { ...answer, body: collected };
}

type TimeLimit = ReturnType<typeof timeLimit>;

/** The time limit of the wait that is under way. */
function timeLimit(onExpired: (error: Error) => void) {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => clearTimeout(timer);
  const start = (awaited: string, limitMs: number) => {
    stop();
    const expire = () =>
      onExpired(new TransportTimeoutError(`no ${awaited} within ${limitMs / 1_000} seconds`));
    timer = setTimeout(expire, limitMs);
  };
  return { start, stop };
}

interface Sending {
  readonly outgoing: ClientRequest;
  readonly limit: TimeLimit;
  /** A service that has the whole body may answer before Node reports the end of the request. */
  bodyGiven: boolean;
}

/** @param length bytes of a body that is not a text */
async function send(
  sending: Sending,
  body: unknown,
  { askFirst, length }: { askFirst: boolean; length: number },
): Promise<void> {
  const { outgoing, limit } = sending;
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    outgoing.end(body);
    sending.bodyGiven = true;
    return;
  }
  if (askFirst) outgoing.flushHeaders();
  await firstOf(outgoing, [], connected);
  limit.stop();
  if (askFirst) await firstOf(outgoing, ['continue', 'response'], undefined, CONTINUE_LIMIT_MS);
  if (isOver(outgoing)) return;
  const isCollected = Array.isArray(body);
  let given = 0;
  sending.bodyGiven = length === 0;
  const write = (chunk: Buffer) => {
    if (isOver(outgoing)) throw NOT_WANTED;
    given += chunk.length;
    sending.bodyGiven = given === length;
    return isCollected ? writeAhead(sending, chunk) : writeLent(sending, chunk);
  };
  const source = isCollected ? sourceOf(body) : (body as ByteSource);
  await source.readInto({ write }).catch((error) => {
    if (error !== NOT_WANTED) throw error;
  });
  if (isOver(outgoing)) return;
  limit.start('progress', IDLE_LIMIT_MS);
  outgoing.end();
}

/** Writes a chunk of a body that is in memory until the request is over. */
function writeAhead({ outgoing, limit }: Sending, chunk: Buffer): Promise<void> | undefined {
  if (outgoing.write(chunk) || outgoing.writableLength < WRITE_AHEAD) return undefined;
  limit.start('progress', IDLE_LIMIT_MS);
  return firstOf(outgoing, ['drain', 'response']).then(() => limit.stop());
}

/** Writes a chunk that is used anew once it has left. */
async function writeLent({ outgoing, limit }: Sending, chunk: Buffer): Promise<void> {
  limit.start('progress', IDLE_LIMIT_MS);
  let hasLeft = false;
  await firstOf(outgoing, ['response'], (_outgoing, done) => {
    outgoing.write(chunk, (error) => {
      hasLeft = error == null;
      done();
    });
  });
  limit.stop();
  if (!hasLeft) throw NOT_WANTED;
}

/** Ends the reading of a body whose rest the service does not want. */
const NOT_WANTED = new Error('the service does not want the rest of the body');

/** Whether no more is to be sent: the connection is gone, or the answer came early. */
function isOver(outgoing: ClientRequest): boolean {
  return outgoing.destroyed || (outgoing as ClientRequest & { res: unknown }).res != null;
}

/** Resolves with the first of these events, with the request's end, or after `limit` ms. */
function firstOf(
  outgoing: ClientRequest,
  events: readonly string[],
  also: (outgoing: ClientRequest, resolve: () => void) => void = () => {},
  limit?: number,
): Promise<void> {
  return new Promise((resolve) => {
    const all = [...events, 'close'];
    const done = () => {
      clearTimeout(timer);
      for (const event of all) outgoing.off(event, done);
      resolve();
    };
    const timer = limit === undefined ? undefined : setTimeout(done, limit);
    for (const event of all) outgoing.on(event, done);
    if (outgoing.destroyed) done();
    else also(outgoing, done);
  });
}

function connected(outgoing: ClientRequest, resolve: () => void): void {
  const onSocket = (socket: Socket) => {
    const { secureConnecting } = socket as TLSSocket & { secureConnecting?: boolean };
    if (secureConnecting === true) socket.once('secureConnect', resolve);
    else if (socket.connecting) socket.once('connect', resolve);
    else resolve();
  };
  if (outgoing.socket) onSocket(outgoing.socket);
  else outgoing.once('socket', onSocket);
}

async function collect(message: IncomingMessage, most: number, limit: TimeLimit): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  limit.start('complete answer', BODY_LIMIT_MS);
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw badAnswer(`${message.statusCode} with more than ${most} bytes`);
    chunks.push(chunk);
  }
  limit.stop();
  return Buffer.concat(chunks);
}

function flatHeaders({ headers }: IncomingMessage): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}
