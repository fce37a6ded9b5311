import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { alterAt, CutHere, cutAfter } from './bodies.ts';
import type { Fault, FaultKind } from './fault-rules.ts';

/**
 * Bodies of up to so many bytes are sent at once, as clients do that have them in memory. The answer of a server that refuses
 * without reading and closes the connection then arrives more often.
 */
const SENT_AT_ONCE = 2 * 1024 * 1024;

export interface Backend {
  readonly host: string;
  readonly port: number;
  readonly agent: Agent;
}

/** A request, and the response to write its answer to. */
export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Passes a request on with every header as it came, since they are signed, and the answer back, with what the fault does
 * to them. Resolves when nothing is left to do; the connection may then be broken.
 */
export async function forward(
  { incoming, response }: Exchange,
  backend: Backend,
  fault: Fault | undefined,
): Promise<void> {
  if (fault?.rule.kind === 'latency') await sleep(fault.share * (fault.rule.upToMs ?? 1_000));
  if (response.destroyed) return;
  // `socket` is null once the message is destroyed, so take it before.
  const { socket } = incoming;
  const outgoing = request({
    host: backend.host,
    port: backend.port,
    agent: backend.agent,
    method: incoming.method,
    path: incoming.url,
    headers: incoming.rawHeaders,
    setHost: false,
  });
  response.once('close', () => {
    if (!response.writableFinished) outgoing.destroy();
  });
  outgoing.on('continue', () => response.writeContinue());
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).on('error', reject);
  });
  if (incoming.headers.expect !== undefined) outgoing.flushHeaders();
  const sent = send(incoming, outgoing, fault);
  let answer: IncomingMessage | undefined;
  sent.catch((error) => {
    if (error instanceof CutHere) socket.resetAndDestroy();
    // An answer may come before the body has been sent, and end it; what counts is the answer.
    if (error instanceof CutHere || answer === undefined) outgoing.destroy(error);
  });
  try {
    answer = await answered;
    await passBack(answer, response, fault);
  } catch {
    // Whichever side broke, the other side must not see a complete answer.
    socket.resetAndDestroy();
  } finally {
    await sent.catch(() => {});
  }
}

async function send(incoming: IncomingMessage, outgoing: ClientRequest, fault: Fault | undefined) {
  const position = positionIn(incoming, fault);
  if (fault?.rule.kind === 'resetRequest') return await pipeline(incoming, cutAfter(position), outgoing);
  if (fault?.rule.kind === 'alterRequest') return await pipeline(incoming, alterAt(position), outgoing);
  const size = Number(incoming.headers['content-length'] ?? 0);
  if (size > SENT_AT_ONCE) return await pipeline(incoming, outgoing);
  outgoing.end(Buffer.concat(await incoming.toArray()));
}

const BREAKS_OFF: readonly (FaultKind | undefined)[] = ['resetResponse', 'truncate', 'stall'];

async function passBack(
  answer: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  const kind = fault?.rule.kind;
  if (kind === 'loseReply') {
    await answer.resume().toArray();
    throw new Error('the answer is lost on purpose');
  }
  response.sendDate = false;
  response.writeHead(answer.statusCode ?? 0, headersOf(answer, fault));
  const position = positionIn(answer, fault);
  if (kind === 'wrongBytes') return await pipeline(answer, alterAt(position), response);
  if (!BREAKS_OFF.includes(kind)) return await pipeline(answer, response);
  await writePart(answer, response, position);
  if (kind === 'resetResponse') response.socket?.resetAndDestroy();
  if (kind === 'truncate') response.socket?.end();
}

/** Sends that many bytes of the answer's body, and leaves it unfinished. */
async function writePart(answer: IncomingMessage, response: ServerResponse, count: number): Promise<void> {
  response.flushHeaders();
  let left = count;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (part.length > 0) await new Promise<void>((resolve) => response.write(part, () => resolve()));
    if (left === 0 || response.destroyed) return;
  }
}

function headersOf(answer: IncomingMessage, fault: Fault | undefined): string[] {
  const { rawHeaders } = answer;
  if (fault?.rule.kind !== 'shiftDate') return rawHeaders;
  const shifted = new Date(Date.now() + (fault.rule.shiftMs ?? 0)).toUTCString();
  return rawHeaders.map((text, index) =>
    index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'date' ? shifted : text,
  );
}

/** A position in the body, at most that of its last byte. */
function positionIn({ headers }: IncomingMessage, fault: Fault | undefined): number {
  return Math.floor((fault?.share ?? 0) * Number(headers['content-length'] ?? 0));
}
