import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type ByteSource, sourceOf } from '../../../bytes/byte-streams.ts';
import { badAnswer } from '../failures.ts';
import type { HttpAgents } from './http-agents.ts';

/** ms until there is a connection, TLS and a proxy's tunnel included */
const CONNECT_LIMIT = 5_000;
/** ms in which a connection that is waited for moves no byte */
export const IDLE_LIMIT = 30_000;
/** ms for the whole body of an answer that is not streamed */
const BODY_LIMIT = 30_000;
/** ms until the head of an answer, from the last byte of the request */
const ANSWER_LIMIT = 8_000;
/** ms that a body is held back for a service that was asked whether it wants it; one that does not know the question never says */
const CONTINUE_LIMIT = 1_000;
/**
 * Bytes of a body in memory that are written together, and have `IDLE_LIMIT` to go: fewer and larger writes cost a PUT of
 * 1 MiB an eighth less processor time.
 */
const WRITE_AHEAD = 512 * 1024;
/** Bytes of answers that are not streamed: a page of 1,000 keys of 1 KiB, each encoded as 3 KiB, is the largest. */
const LARGEST_COLLECTED = 4 * 1024 * 1024;
/** Bytes of an answer that says what failed. */
const LARGEST_REFUSAL = 64 * 1024;

const EXPECTATION_FAILED = 417;
/** ms without the question for a service that closed the connection on it */
const NOT_ASKED_FOR = 60_000;
/** Codes of a connection that the other end closed. */
const CLOSED: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/** A request as the SDK signs it. */
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
  /** ms until the head of the answer, from the last byte of the request */
  readonly answerLimit?: number | undefined;
  /** hand over the body of a successful answer as it arrives; whoever gets it keeps `IDLE_LIMIT` and closes it */
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
 * One request, or two: a service that refuses to be asked whether it wants the body gets the request again without the
 * question (RFC 9110, 10.1.1), and later ones too. Nothing of the body has left its source by then. One that closes the
 * connection instead is not asked for a minute, as it may have closed an idle one; whoever retries has the body still.
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
    if (!begun && CLOSED.has(error.code)) withoutExpect.set(endpoint, performance.now() + NOT_ASKED_FOR);
    throw error;
  });
  if (answer.statusCode !== EXPECTATION_FAILED) return answer;
  withoutExpect.set(endpoint, Number.POSITIVE_INFINITY);
  return begun ? answer : await exchangeOnce(agents, request, withoutQuestion);
}

/**
 * One request on a pooled connection. Every wait has a limit; time in which the body's source is waited for does not
 * count. Whatever ends it early, the signal, a limit, or the body's own failure (passed on as it is), closes the
 * connection, so that the service sees a body that is not whole.
 */
async function exchangeOnce(
  { agentFor }: HttpAgents,
  { protocol, hostname, port, method, path, headers, body }: TransportRequest,
  { signal, answerLimit = ANSWER_LIMIT, streamAnswer = false, askFirst = false }: TransportOptions,
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
  const deadline = new Deadline(end);
  const onAbort = () => end(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  outgoing.once('close', () => {
    deadline.stop();
    signal?.removeEventListener('abort', onAbort);
  });
  deadline.start('connection', CONNECT_LIMIT);
  outgoing.once('finish', () => {
    if (incoming === undefined) deadline.start('answer', answerLimit);
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('error', reject).once('response', (message) => {
      incoming = message;
      // Whoever reads it gets the error; before that, nobody may be listening.
      message.on('error', () => {});
      deadline.stop();
      resolve(message);
    });
  });
  const sending = { outgoing, deadline, bodyGiven: false };
  send(sending, body, { askFirst, length: Number(headers['content-length']) }).catch(end);
  const message = await answered;
  const { statusCode = 0 } = message;
  const answer = { statusCode, headers: flatHeaders(message), sent: sending.bodyGiven };
  if (streamAnswer && statusCode < 300) return { ...answer, body: message };
  const limit = statusCode < 300 ? LARGEST_COLLECTED : LARGEST_REFUSAL;
  const collected = await collect(message, limit, deadline);
  // Answered before the body was sent: what is left of it is not wanted.
  if (!outgoing.writableFinished) outgoing.destroy();
  return { ...answer, body: collected };
}

/** One limit at a time. */
class Deadline {
  readonly #onExpired: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onExpired: (error: Error) => void) {
    this.#onExpired = onExpired;
  }

  start(what: string, limit: number): void {
    clearTimeout(this.#timer);
    const expire = () =>
      this.#onExpired(new TransportTimeoutError(`no ${what} within ${limit / 1_000} seconds`));
    this.#timer = setTimeout(expire, limit);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

interface Sending {
  readonly outgoing: ClientRequest;
  readonly deadline: Deadline;
  /** A service that has the whole body may answer before Node says that the request has ended. */
  bodyGiven: boolean;
}

/** @param length bytes of a body that is not a text */
async function send(
  sending: Sending,
  body: unknown,
  { askFirst, length }: { askFirst: boolean; length: number },
): Promise<void> {
  const { outgoing, deadline } = sending;
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    outgoing.end(body);
    sending.bodyGiven = true;
    return;
  }
  if (askFirst) outgoing.flushHeaders();
  await firstOf(outgoing, [], connected);
  deadline.stop();
  if (askFirst) await firstOf(outgoing, ['continue', 'response'], undefined, CONTINUE_LIMIT);
  if (isOver(outgoing)) return;
  const isCollected = Array.isArray(body);
  let given = 0;
  sending.bodyGiven = length === 0;
  const write = (chunk: Buffer) => {
    if (isOver(outgoing)) throw NOT_WANTED;
    given += chunk.length;
    sending.bodyGiven = given === length;
    if (outgoing.write(chunk) || outgoing.writableLength < (isCollected ? WRITE_AHEAD : 0)) return undefined;
    deadline.start('progress', IDLE_LIMIT);
    return firstOf(outgoing, ['drain', 'response']).then(() => deadline.stop());
  };
  const source = isCollected ? sourceOf(body) : (body as ByteSource);
  await source.readInto({ write }).catch((error) => {
    if (error !== NOT_WANTED) throw error;
  });
  if (isOver(outgoing)) return;
  deadline.start('progress', IDLE_LIMIT);
  outgoing.end();
}

/** Ends the reading of a body whose rest is not to be sent. */
const NOT_WANTED = new Error('the rest of the body is not to be sent');

/** Nothing more is to be sent: the connection has gone, or the answer came early. */
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

async function collect(message: IncomingMessage, limit: number, deadline: Deadline): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  deadline.start('complete answer', BODY_LIMIT);
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw badAnswer(`${message.statusCode} with more than ${limit} bytes`);
    chunks.push(chunk);
  }
  deadline.stop();
  return Buffer.concat(chunks);
}

function flatHeaders({ headers }: IncomingMessage): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}
