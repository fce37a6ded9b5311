import { getEventListeners } from 'node:events';
import type { TlsOptions } from 'node:tls';
import { eventually, within } from '@largepayload/testing/waiting/eventually';
import { expect } from 'vitest';
import { BODY_BUFFERS } from '../../bytes/buffer-pool.ts';
import { bytesOf, sourceOf } from '../../bytes/byte-streams.ts';
import { exchange } from '../exchange.ts';
import { type HttpAgents, httpAgents } from '../http-agents.ts';
import type { TransportRequest } from '../transport.ts';
import type { HostileAnswer } from './answer-bytes.fixture.ts';
import { hostileAnswer } from './hostile-answers.fixture.ts';
import { hostileServer } from './hostile-server.fixture.ts';

/** Short, so that slow answers do not take minutes, but longer than the pauses of a busy machine. */
const LIMITS = { connectMs: 10_000, answerMs: 800, idleMs: 800, bodyMs: 800, continueMs: 800 };
/** Far beyond all limits: after this time a request hangs. */
const HANGS_MS = 30_000;
const WORKERS = 32;
/** Codes of connections that the server closed when it had answered the request before. */
const CLOSED = ['ECONNRESET', 'EPIPE'];
const CONTENT = Buffer.alloc(1_500_000, 'a');

export interface HostileRun {
  readonly seed: number;
  readonly count: number;
  readonly tls?: { readonly server: TlsOptions; readonly authority: string };
}

/** Number of answers by their outcome. */
export type Tally = Record<'delivered' | 'refused' | 'lost', number>;

/**
 * Makes the requests, 32 at a time on the same connections, and compares what is delivered with what may be believed.
 * @returns once nothing of them is left: connections, listeners, buffers
 */
export async function runHostileAnswers({ seed, count, tls }: HostileRun): Promise<Tally> {
  const server = await hostileServer(seed, tls?.server);
  const agents = httpAgents(tls?.authority, LIMITS);
  const { signal } = new AbortController();
  const tally: Tally = { delivered: 0, refused: 0, lost: 0 };
  let next = 0;
  const work = async () => {
    while (next < count) {
      const number = next;
      next += 1;
      const answer = hostileAnswer(seed, number);
      const what = `answer ${number} of seed ${seed}, ${answer.kind}`;
      const request = {
        ...requestFor(answer, number),
        protocol: tls === undefined ? 'http:' : 'https:',
        port: server.port,
      };
      tally[await within(HANGS_MS, what, outcomeOf(agents, request, answer, what, signal))] += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: WORKERS }, work));
    await eventually('no request holds a connection', () => agents.inUse() === 0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(BODY_BUFFERS.keptBytes).toBeLessThanOrEqual(16 * 1024 * 1024);
    agents.close();
    await eventually('the server has no connection', () => server.connections().length === 0).catch(
      (late) => {
        throw new Error(`${late.message}, but ${server.connections().join('; ')}`);
      },
    );
  } finally {
    agents.close();
    server.close();
  }
  return tally;
}

async function outcomeOf(
  agents: HttpAgents,
  request: TransportRequest,
  answer: HostileAnswer,
  what: string,
  signal: AbortSignal,
): Promise<keyof Tally> {
  const { believable, method, asksFirst: askFirst } = answer;
  let delivered: { status: number; body: Buffer; evil: string | undefined };
  try {
    const got = await exchange(agents, request, { signal, streamAnswer: method === 'GET', askFirst });
    const body = Buffer.isBuffer(got.body) ? got.body : await bytesOf(got.body);
    delivered = { status: got.statusCode, body, evil: got.headers['x-evil'] };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string') throw new Error(what, { cause: error });
    if (believable === undefined) return 'refused';
    // A connection that the server closed after an earlier answer, or a machine that is too busy.
    if (code === 'ETIMEDOUT' || CLOSED.includes(code)) return 'lost';
    throw new Error(what, { cause: error });
  }
  const { status, body, evil } = delivered;
  const isBelievable = status === believable?.status && body.equals(believable.body) && evil === undefined;
  // Assertions of vitest would take longer than the requests.
  if (isBelievable) return 'delivered';
  expect({ ...delivered, body: body.toString('hex') }, what).toEqual({
    status: believable?.status,
    body: believable?.body.toString('hex'),
    evil: undefined,
  });
  throw new Error(`${what}: delivered`);
}

function requestFor(
  { method, requestSize, asksFirst }: HostileAnswer,
  number: number,
): Omit<TransportRequest, 'protocol'> {
  const content = CONTENT.subarray(0, requestSize);
  const half = requestSize >> 1;
  const chunks = [content.subarray(0, half), content.subarray(half)];
  return {
    hostname: 'localhost',
    method,
    path: `/${number}`,
    headers: method === 'PUT' ? { 'content-length': `${requestSize}` } : {},
    ...(method === 'PUT' ? { body: asksFirst ? sourceOf(chunks) : chunks } : {}),
  };
}
