import { type ByteSource, sourceOf } from '../bytes/byte-streams.ts';
import type { Connection } from './connection.ts';
import { NOT_WANTED } from './errors.ts';
import { type Limits, type TimeLimit, WRITE_AHEAD } from './limits.ts';

/** Bytes that are given to the connection at once. */
const LARGEST_AT_ONCE = 1024 * 1024;

/** `continue`: the service wants the body; `drain`: all written bytes have left. */
type Awaited = 'continue' | 'drain';

/** Sends one request. Nothing is sent after `stop`. */
export class RequestSender {
  readonly #connection: Connection;
  readonly #limit: TimeLimit;
  readonly #limits: Limits;
  readonly #onSent: () => void;
  /** Whether the whole body has been given to the connection. It may not have left yet. */
  isGiven = false;
  /** Whether all bytes have left. */
  isSent = false;
  #isOver = false;
  #waiting: { readonly for: Awaited; readonly resolve: () => void } | undefined;

  /** @param onSent called when all bytes have left */
  constructor(connection: Connection, limit: TimeLimit, limits: Limits, onSent: () => void) {
    this.#connection = connection;
    this.#limit = limit;
    this.#limits = limits;
    this.#onSent = onSent;
  }

  /** Sends the head and a body in memory. */
  async sendAll(head: Buffer, body: readonly Buffer[], length: number): Promise<void> {
    const { socket } = this.#connection;
    if (length > LARGEST_AT_ONCE) {
      const writeAhead = (chunk: Buffer) => this.#writeAhead(chunk);
      return await this.#stream(head, sourceOf(body), length, writeAhead);
    }
    this.isGiven = true;
    this.#limit.start('progress', this.#limits.idleMs);
    const pieces = [head, ...body];
    const last = pieces.pop() as Buffer;
    // Together they are one system call.
    socket.cork();
    for (const piece of pieces) socket.write(piece);
    socket.write(last, this.#sent);
    socket.uncork();
  }

  /** Sends the head and a body of `length` bytes. With `askFirst`, the body waits until the service wants it, or does not answer in time. */
  async sendSource(head: Buffer, source: ByteSource, length: number, askFirst: boolean): Promise<void> {
    if (length === 0) return await this.sendAll(head, [], 0);
    const writeLent = (chunk: Buffer) => this.#writeLent(chunk);
    if (!askFirst) return await this.#stream(head, source, length, writeLent);
    this.#connection.socket.write(head);
    const timer = setTimeout(() => this.wake('continue'), this.#limits.continueMs);
    await this.#waitFor('continue');
    clearTimeout(timer);
    await this.#stream(undefined, source, length, writeLent);
  }

  wake(by: Awaited): void {
    if (this.#waiting?.for === by) this.#waiting.resolve();
  }

  /** The answer has come, or the connection is gone. */
  stop(): void {
    this.#isOver = true;
    this.#waiting?.resolve();
  }

  readonly #sent = (error?: Error | null) => {
    if (error != null) return;
    this.isSent = true;
    if (!this.#isOver) this.#onSent();
  };

  async #stream(
    head: Buffer | undefined,
    source: ByteSource,
    length: number,
    send: (chunk: Buffer) => Promise<void> | undefined,
  ): Promise<void> {
    if (this.#isOver) return;
    if (head !== undefined) this.#connection.socket.write(head);
    let given = 0;
    const write = (chunk: Buffer) => {
      if (this.#isOver) throw NOT_WANTED;
      given += chunk.length;
      if (given > length) throw new RangeError(`a body of more than the promised ${length} bytes`);
      this.isGiven = given === length;
      return send(chunk);
    };
    let isWanted = true;
    await source.readInto({ write }).catch((error) => {
      if (error !== NOT_WANTED) throw error;
      isWanted = false;
    });
    if (!isWanted || this.#isOver || this.isSent) return;
    if (given < length) throw new RangeError(`a body of ${given} bytes instead of the promised ${length}`);
    this.#limit.start('progress', this.#limits.idleMs);
  }

  /** Writes a chunk that stays in memory until the request is over. */
  #writeAhead(chunk: Buffer): Promise<void> | undefined {
    const { socket } = this.#connection;
    if (socket.write(chunk, this.isGiven ? this.#sent : undefined)) return undefined;
    if (socket.writableLength < WRITE_AHEAD) return undefined;
    return this.#progress();
  }

  /** Writes a chunk whose memory is used again once it has left. */
  async #writeLent(chunk: Buffer): Promise<void> {
    let hasLeft = false;
    this.#connection.socket.write(chunk, (error) => {
      hasLeft = error == null;
      if (this.isGiven) this.#sent(error);
      this.wake('drain');
    });
    await this.#progress();
    if (!hasLeft) throw NOT_WANTED;
  }

  /** Waits until all written bytes have left. */
  async #progress(): Promise<void> {
    this.#limit.start('progress', this.#limits.idleMs);
    await this.#waitFor('drain');
    // With the last byte, the limit of the wait for the answer has begun already.
    if (!this.#isOver && !this.isSent) this.#limit.stop();
  }

  async #waitFor(awaited: Awaited): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { for: awaited, resolve };
    await promise;
    this.#waiting = undefined;
  }
}
