import { BODY_BUFFERS } from '../bytes/buffer-pool.ts';
import type { ByteSink } from '../bytes/byte-streams.ts';
import { PIECE_BYTES, pieceBytesOf } from '../bytes/pieces.ts';
import { closedError } from './errors.ts';
import { lateError } from './limits.ts';
import { SCRATCH } from './scratch.ts';
import type { AnswerBody } from './transport.ts';

/** After it is told to pause, TLS still hands over what it has decrypted, up to 80 KiB. */
const MARGIN = 128 * 1024;
/** What has arrived is handed over at least this often, so that a slow service does not make us silent. */
const FLUSH_MS = 1_000;

/** Bytes that have arrived. */
interface Piece {
  readonly buffer: Buffer;
  readonly bytes: Buffer;
  /** of its buffer, which can be used again after it */
  readonly isLast: boolean;
}

/** What a body needs of its connection. */
export interface BodyConnection {
  resume(): void;
  /** Resolves when the connection is gone. */
  close(reason: unknown): Promise<void>;
}

/** A body of known size that is read into pooled buffers, at most two of them at a time. */
export class StreamedBody implements AnswerBody {
  readonly #connection: BodyConnection;
  readonly #idleMs: number;
  readonly #signal: AbortSignal | undefined;
  /** bytes that have not arrived */
  #missing: number;
  readonly #bufferSize: number;
  #filling: { readonly buffer: Buffer; from: number; to: number } | undefined;
  readonly #ready: Piece[] = [];
  #isLent = false;
  #isPaused = false;
  #failure: { readonly error: unknown } | undefined;
  #quietMs = 0;
  #wake = () => {};

  constructor(size: number, connection: BodyConnection, idleMs: number, signal: AbortSignal | undefined) {
    this.#connection = connection;
    this.#idleMs = idleMs;
    this.#signal = signal;
    this.#missing = size;
    this.#bufferSize = pieceBytesOf(size);
  }

  get isWhole(): boolean {
    return this.#missing === 0;
  }

  /** Whether the connection has to bring no more bytes until `resume`. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Where the next bytes are put. */
  space(): Buffer {
    // What arrives in a pause is copied: the current buffer may be handed over before it arrives.
    if (this.#missing === 0 || this.#isPaused) return SCRATCH;
    const { buffer, to } = this.#currentBuffer();
    // With room for one byte more than is missing, surplus bytes are seen by the read that brings them.
    const room = roomIn(buffer, to);
    const count = room < this.#missing ? room : room === this.#missing ? room - 1 : this.#missing + 1;
    return count === 0 ? SCRATCH : buffer.subarray(to, to + count);
  }

  /**
   * @param bytes in the space, or anywhere in `SCRATCH`
   * @returns how many of them belong to the body
   */
  take(bytes: Buffer): number {
    const own = bytes.subarray(0, this.#missing);
    this.#missing -= own.length;
    this.#quietMs = 0;
    if (bytes.buffer === SCRATCH.buffer) this.#copy(own);
    else this.#advance(own.length);
    this.#pauseIfFull();
    if (this.#ready.length > 0) this.#wake();
    return own.length;
  }

  /** The connection has ended. */
  end(error: unknown): void {
    if (!this.isWhole) this.#fail(error ?? closedError('an answer that was cut short'));
  }

  async readInto(sink: ByteSink): Promise<void> {
    try {
      while (true) {
        this.#assertUsable();
        const piece = this.#ready.shift();
        if (piece !== undefined) await this.#lend(piece, sink);
        else if (this.isWhole) return;
        else if (this.#isPaused) this.#resume();
        else await this.#arrival();
      }
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    for (const { buffer, isLast } of this.#ready.splice(0)) if (isLast) BODY_BUFFERS.give(buffer);
    if (this.isWhole) return;
    // The connection may still fill this buffer, so it does not go back to the pool.
    this.#filling = undefined;
    const closed = new Error('the body was not read to its end');
    this.#fail(closed);
    await this.#connection.close(closed);
  }

  async #lend({ buffer, bytes, isLast }: Piece, sink: ByteSink): Promise<void> {
    this.#isLent = true;
    const writing = sink.write(bytes);
    if (writing !== undefined) await writing;
    this.#isLent = false;
    if (isLast) BODY_BUFFERS.give(buffer);
  }

  /** Waits for a piece or a failure. Only this wait has a limit: the sink's time is not the service's fault. */
  async #arrival(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const tickMs = Math.min(FLUSH_MS, this.#idleMs);
    const timer = setTimeout(() => {
      this.#tick(tickMs);
      timer.refresh();
    }, tickMs);
    await promise;
    clearTimeout(timer);
  }

  #tick(tickMs: number): void {
    const filling = this.#filling;
    this.#quietMs += tickMs;
    if (filling !== undefined && filling.to > filling.from) {
      this.#finishPiece(false);
      this.#wake();
    } else if (this.#quietMs >= this.#idleMs) {
      const late = lateError('bytes', this.#idleMs);
      this.#fail(late);
      void this.#connection.close(late);
    }
  }

  #copy(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const { buffer, to } = this.#currentBuffer();
      const count = Math.min(roomIn(buffer, to), bytes.length - at);
      bytes.copy(buffer, to, at, at + count);
      at += count;
      this.#advance(count);
    }
  }

  /** Counts bytes that were put into the buffer. */
  #advance(count: number): void {
    const filling = this.#filling;
    if (filling === undefined) return;
    filling.to += count;
    if (this.#missing === 0 || roomIn(filling.buffer, filling.to) === 0) this.#finishPiece(true);
  }

  #currentBuffer() {
    this.#filling ??= { buffer: BODY_BUFFERS.take(this.#bufferSize), from: 0, to: 0 };
    return this.#filling;
  }

  #finishPiece(isLast: boolean): void {
    const filling = this.#filling;
    if (filling === undefined) return;
    const { buffer, from, to } = filling;
    this.#ready.push({ buffer, bytes: buffer.subarray(from, to), isLast });
    filling.from = to;
    if (isLast) this.#filling = undefined;
  }

  #pauseIfFull(): void {
    const filling = this.#filling;
    const others = this.#ready.length + (this.#isLent ? 1 : 0);
    if (this.#missing === 0 || others === 0) return;
    // A single read may fill a buffer, and the next read would begin a third buffer.
    const room = filling === undefined ? (others > 1 ? 0 : PIECE_BYTES) : roomIn(filling.buffer, filling.to);
    this.#isPaused ||= room < MARGIN && room < this.#missing;
  }

  /** Nothing is put into the buffer directly in a pause, so it can be handed over as it is. */
  #resume(): void {
    this.#finishPiece(true);
    this.#isPaused = false;
    this.#connection.resume();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  #assertUsable(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#signal?.throwIfAborted();
  }
}

function roomIn(buffer: Buffer, to: number): number {
  return buffer.length - to;
}
