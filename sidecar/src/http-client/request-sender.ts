import { type GivingSource, sourceOf } from '../bytes/byte-streams.ts';
import type { Connection } from './connection.ts';
import { type Limits, type TimeLimit, WRITE_AHEAD } from './limits.ts';

/** Bytes that are given to the connection at once. */
const LARGEST_AT_ONCE = 1024 * 1024;

/** Ends the reading of a body whose rest the service does not want. */
const NOT_WANTED = new Error('the service does not want the rest of the body');

/** That the service wants the body; that the bytes which were written have left. */
type Awaited = 'continue' | 'drain';

/** Sends one request. Nothing is sent after `stop`. */
export class RequestSender {
  readonly #connection: Connection;
  readonly #limit: TimeLimit;
  readonly #limits: Limits;
  readonly #onSent: () => void;
  /** Whether the whole body has been given to the connection. It may have not left yet. */
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

  /** A body in memory, with the head. */
  async sendAll(head: Buffer, body: readonly Buffer[], length: number): Promise<void> {
    const { socket } = this.#connection;
    if (length > LARGEST_AT_ONCE) return await this.#stream(head, sourceOf(body), length, WRITE_AHEAD);
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

  /** A body of `length` bytes, behind a question whether it is wanted, if there is one. */
  async sendSource(head: Buffer, source: GivingSource, length: number, askFirst: boolean): Promise<void> {
    if (length === 0) return await this.sendAll(head, [], 0);
    if (!askFirst) return await this.#stream(head, source, length, 0);
    this.#connection.socket.write(head);
    const timer = setTimeout(() => this.wake('continue'), this.#limits.continueMs);
    await this.#waitFor('continue');
    clearTimeout(timer);
    await this.#stream(undefined, source, length, 0);
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

  /** @param ahead bytes that are written without waiting until they have left */
  async #stream(
    head: Buffer | undefined,
    source: GivingSource,
    length: number,
    ahead: number,
  ): Promise<void> {
    const { socket } = this.#connection;
    if (this.#isOver) return;
    if (head !== undefined) socket.write(head);
    let given = 0;
    const write = (chunk: Buffer) => {
      if (this.#isOver) throw NOT_WANTED;
      given += chunk.length;
      if (given > length) throw new RangeError(`a body of more than the promised ${length} bytes`);
      this.isGiven = given === length;
      const isTaken = socket.write(chunk, this.isGiven ? this.#sent : undefined);
      if (isTaken || socket.writableLength < ahead) return undefined;
      this.#limit.start('progress', this.#limits.idleMs);
      return this.#waitFor('drain').then(() => {
        // The limit of the next wait has begun with the last byte.
        if (!this.#isOver && !this.isSent) this.#limit.stop();
      });
    };
    await source.readInto({ write, keepsChunks: true }).catch((error) => {
      if (error !== NOT_WANTED) throw error;
    });
    if (this.#isOver || this.isSent) return;
    if (given < length) throw new RangeError(`a body of ${given} bytes instead of the promised ${length}`);
    this.#limit.start('progress', this.#limits.idleMs);
  }

  async #waitFor(awaited: Awaited): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { for: awaited, resolve };
    await promise;
    this.#waiting = undefined;
  }
}
