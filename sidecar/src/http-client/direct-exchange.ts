import { framingOf } from './answer-framing.ts';
import { type AnswerHead, HeadReader, keptMsOf } from './answer-head.ts';
import { CollectedAnswer } from './collected-answer.ts';
import type { Connection, ConnectionUser } from './connection.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { badAnswer, closedError } from './errors.ts';
import { type Limits, type TimeLimit, timeLimit } from './limits.ts';
import { requestHead } from './request-bytes.ts';
import { RequestSender } from './request-sender.ts';
import { SCRATCH } from './scratch.ts';
import { StreamedBody } from './streamed-body.ts';
import type { RequestBody, TransportAnswer, TransportOptions, TransportRequest } from './transport.ts';

/**
 * Makes one request on a connection of the pool. Every wait has a limit; waiting for the body's source does not count. The
 * signal, a limit, or a failure of the body (passed on as it is) ends the request early and closes the connection, so that the
 * service sees a body that is not whole.
 */
export async function exchangeDirectly(
  pool: ConnectionPool,
  request: TransportRequest,
  options: TransportOptions,
): Promise<TransportAnswer> {
  const { signal } = options;
  signal?.throwIfAborted();
  const { body, length } = bodyOf(request);
  const head = requestHead(request, request.body === undefined ? undefined : length);
  const connection = await pool.acquire(signal, options.freshConnection);
  if (signal?.aborted === true) {
    void connection.close();
    throw signal.reason;
  }
  const exchange = new DirectExchange(pool, connection, request.method, options);
  exchange.send(head, body, length);
  return await exchange.answered;
}

interface AnnotatedHead extends AnswerHead {
  /** whether the whole body had been given to the connection when the head came */
  readonly sent: boolean;
}

/** One request and its answer. They have the connection for themselves. */
class DirectExchange implements ConnectionUser {
  readonly answered: Promise<TransportAnswer>;
  readonly #answer = Promise.withResolvers<TransportAnswer>();
  readonly #pool: ConnectionPool;
  readonly #limits: Limits;
  readonly #connection: Connection;
  readonly #method: string;
  readonly #options: TransportOptions;
  readonly #limit: TimeLimit;
  readonly #sender: RequestSender;
  readonly #headReader = new HeadReader();
  /** whether `100 Continue` may come, more than once too: some services, e.g. on werkzeug, send it twice */
  readonly #mayContinue: boolean;
  #head: AnnotatedHead | undefined;
  #body: CollectedAnswer | StreamedBody | undefined;
  #isOver = false;

  constructor(pool: ConnectionPool, connection: Connection, method: string, options: TransportOptions) {
    this.answered = this.#answer.promise;
    this.#pool = pool;
    this.#limits = pool.limits;
    this.#connection = connection;
    this.#method = method;
    this.#options = options;
    this.#mayContinue = options.askFirst === true;
    this.#limit = timeLimit((late) => void connection.close(late));
    const { answerLimitMs = this.#limits.answerMs } = options;
    const onSent = () => this.#limit.start('answer', answerLimitMs);
    this.#sender = new RequestSender(connection, this.#limit, this.#limits, onSent);
    options.signal?.addEventListener('abort', this.#onAbort);
    connection.use(this);
  }

  send(head: Buffer, body: RequestBody, length: number): void {
    const sending = isInMemory(body)
      ? this.#sender.sendAll(head, body, length)
      : this.#sender.sendSource(head, body, length, this.#mayContinue);
    sending.catch((error) => {
      // After the exchange, the connection may serve another request.
      if (!this.#isOver) void this.#connection.close(error);
    });
  }

  space(): Buffer {
    return this.#body instanceof StreamedBody ? this.#body.space() : SCRATCH;
  }

  received(bytes: Buffer): boolean {
    let rest = bytes;
    while (this.#head === undefined) {
      const taken = this.#headReader.take(rest);
      if (taken === undefined) return true;
      rest = taken.rest;
      if (taken.head.statusCode < 200) this.#continue(taken.head);
      else this.#begin(taken.head);
    }
    this.#take(rest);
    return !(this.#body instanceof StreamedBody && this.#body.isPaused);
  }

  drained(): void {
    this.#sender.wake('drain');
  }

  ended(error: unknown): void {
    this.#stop();
    try {
      this.#body?.end(error);
      if (this.#body instanceof CollectedAnswer && error === undefined) this.#resolve(this.#body.bytes());
    } catch (cut) {
      this.#answer.reject(error ?? cut);
    }
    this.#answer.reject(error ?? closedError('the connection was closed before an answer'));
  }

  readonly #onAbort = () => void this.#connection.close(this.#options.signal?.reason);

  /** RFC 9110, 15.2. Only a `100` that answers `Expect: 100-continue` is taken: a service that sends others did not understand us. */
  #continue({ statusCode }: AnswerHead): void {
    if (statusCode !== 100 || !this.#mayContinue) throw badAnswer(`an unexpected ${statusCode}`);
    this.#sender.wake('continue');
  }

  #begin(head: AnswerHead): void {
    this.#head = { ...head, sent: this.#sender.isGiven };
    this.#sender.stop();
    this.#limit.stop();
    const { statusCode } = head;
    const isStreamed = this.#options.streamAnswer === true && statusCode < 300;
    const framing = framingOf(head, this.#method, isStreamed);
    if (isStreamed && framing.kind === 'length') {
      const { signal } = this.#options;
      const connection = {
        resume: () => void this.#connection.socket.resume(),
        close: (reason: unknown) => this.#connection.close(reason),
      };
      const body = new StreamedBody(framing.length, connection, this.#limits.idleMs, signal);
      this.#body = body;
      this.#resolve(body);
    } else {
      this.#body = new CollectedAnswer(framing, statusCode);
      this.#limit.start('complete answer', this.#limits.bodyMs);
    }
  }

  #take(bytes: Buffer): void {
    const body = this.#body as CollectedAnswer | StreamedBody;
    const own = body.take(bytes);
    if (!body.isWhole) return;
    if (body instanceof CollectedAnswer) this.#resolve(body.bytes());
    this.#finish(own === bytes.length);
  }

  #resolve(body: TransportAnswer['body']): void {
    const { statusCode, headers, sent } = this.#head as AnnotatedHead;
    this.#answer.resolve({ statusCode, headers, sent, body });
  }

  /** The answer is whole. @param isClean no bytes came after it */
  #finish(isClean: boolean): void {
    this.#stop();
    const head = this.#head as AnnotatedHead;
    const keeps = isClean && this.#sender.isSent && head.keepsConnection;
    this.#connection.leave();
    if (keeps) this.#pool.giveBack(this.#connection, keptMsOf(head));
    else void this.#connection.close();
  }

  #stop(): void {
    this.#isOver = true;
    this.#sender.stop();
    this.#limit.stop();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }
}

const isInMemory = (body: RequestBody): body is readonly Buffer[] => Array.isArray(body);

function bodyOf({ body, headers }: TransportRequest): { body: RequestBody; length: number } {
  if (body === undefined) return { body: [], length: 0 };
  if (typeof body === 'string') return inMemory([Buffer.from(body)]);
  if (body instanceof Uint8Array) return inMemory([body as Buffer]);
  if (Array.isArray(body)) return inMemory(body);
  const { 'content-length': text = '' } = headers;
  if (!/^[0-9]+$/.test(text)) throw new TypeError('a body that streams without its content-length');
  return { body: body as RequestBody, length: Number(text) };
}

function inMemory(body: readonly Buffer[]) {
  return { body, length: body.reduce((sum, { length }) => sum + length, 0) };
}
