import { type ByteSource, sourceOf } from '../bytes/byte-streams.ts';
import type { Connection } from './connection.ts';
import { type Limits, type TimeLimit, WRITE_AHEAD } from './limits.ts';

/** Bytes that are given to the connection at once. */
const LARGEST_AT_ONCE = 1024 * 1024;

/** Ends the reading of a body whose rest the service does not want. */
const NOT_WANTED = new Error('the service does not want the rest of the body');

/** That the service wants the body; that few bytes wait to leave; that a chunk has left. */
type Awaited = 'continue' | 'drain' | 'left';

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
    if (length > LARGEST_AT_ONCE) return await this.#stream(head, sourceOf(body), length, false);
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
  async sendSource(head: Buffer, source: ByteSource, length: number, askFirst: boolean): Promise<void> {
    if (length === 0) return await this.sendAll(head, [], 0);
    if (!askFirst) return await this.#stream(head, source, length, true);
    this.#connection.socket.write(head);
    const timer = setTimeout(() => this.wake('continue'), this.#limits.continueMs);
    await this.#waitFor('continue');
    clearTimeout(timer);
    await this.#stream(undefined, source, length, true);
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

  /** @param isLent the chunks are used anew once they have left; else they stay in memory as they are */
  async #stream(
    head: Buffer | undefined,
    source: ByteSource,
    length: number,
    isLent: boolean,
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
      return isLent ? this.#writeLent(chunk) : this.#writeAhead(chunk);
    };
    try {
      await source.readInto({ write });
    } catch (error) {
      // Where a write failed, the connection reports why.
      if (error === NOT_WANTED) return;
      throw error;
    }
    if (this.#isOver || this.isSent) return;
    if (given < length) throw new RangeError(`a body of ${given} bytes instead of the promised ${length}`);
    this.#limit.start('progress', this.#limits.idleMs);
  }

  #writeAhead(chunk: Buffer): Promise<void> | undefined {
    const { socket } = this.#connection;
    const isTaken = socket.write(chunk, this.isGiven ? this.#sent : undefined);
    return isTaken || socket.writableLength < WRITE_AHEAD ? undefined : this.#waitForProgress('drain');
  }

  /** Rejects when the chunk may not have left: the kernel may still read it. */
  async #writeLent(chunk: Buffer): Promise<void> {
    const isLast = this.isGiven;
    let hasLeft = false;
    this.#connection.socket.write(chunk, (error) => {
      hasLeft = error == null;
      if (isLast) this.#sent(error);
      this.wake('left');
    });
    await this.#waitForProgress('left');
    if (!hasLeft) throw NOT_WANTED;
  }

  async #waitForProgress(awaited: Awaited): Promise<void> {
    this.#limit.start('progress', this.#limits.idleMs);
    await this.#waitFor(awaited);
    // The limit of the next wait has begun with the last byte.
    if (!this.#isOver && !this.isSent) this.#limit.stop();
  }

  async #waitFor(awaited: Awaited): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { for: awaited, resolve };
    await promise;
    this.#waiting = undefined;
  }
}
