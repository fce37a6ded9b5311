import { type Agent, type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type ByteSource, sourceOf } from '../../bytes/byte-streams.ts';
import { nodeHttps } from '../../memory/modules-on-demand.ts';
import { withoutBrackets } from '../connection.ts';
import { badAnswer, NOT_WANTED } from '../errors.ts';
import { type Limits, largestCollected, type TimeLimit, timeLimit, WRITE_AHEAD } from '../limits.ts';
import type { TransportAnswer, TransportOptions, TransportRequest } from '../transport.ts';
import { nodeBody } from './node-body.ts';

/** Makes one request by Node's client on a connection of its agent. The rules are those of `exchangeDirectly`. */
export async function exchangeByNode(
  agent: Agent,
  limits: Limits,
  { protocol, hostname, port, method, path, headers, body }: TransportRequest,
  { signal, answerLimitMs = limits.answerMs, streamAnswer = false, askFirst = false }: TransportOptions,
): Promise<TransportAnswer> {
  signal?.throwIfAborted();
  const secure = protocol === 'https:';
  const outgoing = (secure ? nodeHttps().request : plainRequest)({
    host: withoutBrackets(hostname),
    ...(port === undefined ? {} : { port }),
    method,
    path,
    headers,
    agent,
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
  limit.start('connection', limits.connectMs);
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
  const sending = { outgoing, limit, limits, bodyGiven: false };
  send(sending, body, { askFirst, length: Number(headers['content-length']) }).catch(end);
  const message = await answered;
  const { statusCode = 0 } = message;
  const answer = { statusCode, headers: flatHeaders(message), sent: sending.bodyGiven };
  if (streamAnswer && statusCode < 300) return { ...answer, body: nodeBody(message, limits.idleMs) };
  const collected = await collect(message, largestCollected(statusCode), limit, limits.bodyMs);
  // The service answered before the body was sent, so it does not want the rest.
  if (!outgoing.writableFinished) outgoing.destroy();
  return { ...answer, body: collected };
}

interface Sending {
  readonly outgoing: ClientRequest;
  readonly limit: TimeLimit;
  readonly limits: Limits;
  /** A service that has the whole body may answer before Node reports the end of the request. */
  bodyGiven: boolean;
}

/** @param length bytes of a body that is not a text */
async function send(
  sending: Sending,
  body: unknown,
  { askFirst, length }: { askFirst: boolean; length: number },
): Promise<void> {
  const { outgoing, limit, limits } = sending;
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    outgoing.end(body);
    sending.bodyGiven = true;
    return;
  }
  if (askFirst) outgoing.flushHeaders();
  await firstOf(outgoing, [], connected);
  limit.stop();
  if (askFirst) await firstOf(outgoing, ['continue', 'response'], undefined, limits.continueMs);
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
  limit.start('progress', limits.idleMs);
  outgoing.end();
}

/** Writes a chunk that stays in memory until the request is over. */
function writeAhead({ outgoing, limit, limits }: Sending, chunk: Buffer): Promise<void> | undefined {
  if (outgoing.write(chunk) || outgoing.writableLength < WRITE_AHEAD) return undefined;
  limit.start('progress', limits.idleMs);
  return firstOf(outgoing, ['drain', 'response']).then(() => limit.stop());
}

/** Writes a chunk whose memory is used again once it has left. */
async function writeLent({ outgoing, limit, limits }: Sending, chunk: Buffer): Promise<void> {
  limit.start('progress', limits.idleMs);
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

async function collect(
  message: IncomingMessage,
  most: number,
  limit: TimeLimit,
  limitMs: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  limit.start('complete answer', limitMs);
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
