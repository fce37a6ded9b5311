import type { IncomingMessage } from 'node:http';
import type { ByteSink, GivingSource, KeepingSink } from '../bytes/byte-streams.ts';
import { ServiceError } from '../errors/service-error.ts';
import type { Transfer } from './transfer-watch.ts';

/** Bytes taken from the socket ahead of the sink. */
const QUEUE_BYTES = 128 * 1024;

/**
 * The request's body as it arrives, with back-pressure. Ends only after the last byte that Content-Length promised;
 * throws `body_incomplete` when the client leaves before, and the signal's reason when that is aborted. Nothing is taken from
 * the request before it is read; Node's own iterator would join what has queued up into one copy.
 */
export class RequestBody implements GivingSource {
  readonly #request: IncomingMessage;
  readonly #transfer: Transfer;
  readonly #signal: AbortSignal;
  readonly #onRead: () => void;
  #chunks: Buffer[] = [];
  #queuedBytes = 0;
  #ended = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  /** @param onRead called once, when the body is first asked for */
  constructor(request: IncomingMessage, transfer: Transfer, signal: AbortSignal, onRead = () => {}) {
    this.#onRead = onRead;
    this.#request = request;
    this.#transfer = transfer;
    this.#signal = signal;
  }

  async readInto(sink: ByteSink | KeepingSink): Promise<void> {
    this.#onRead();
    this.#attach();
    try {
      for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) {
        await sink.write(chunk);
      }
    } finally {
      this.#leave();
    }
  }

  /** `undefined` at the end */
  async #next(): Promise<Buffer | undefined> {
    while (true) {
      if (this.#failure !== undefined) throw this.#failure;
      const chunk = this.#take();
      if (chunk !== undefined || this.#ended) return chunk;
      this.#transfer.wait();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #attach(): void {
    const request = this.#request;
    request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    // Stays attached: a connection that breaks after the body was left must not end the process.
    request.on('error', this.#onClose);
    this.#signal.addEventListener('abort', this.#onAbort);
    if (this.#signal.aborted) this.#onAbort();
    // The client may have left while the storage was asked: its `close` is over, and no other will come.
    if (request.destroyed) this.#onClose();
  }

  /** The request is paused no longer, so that what the client still sends is read and thrown away. */
  #leave(): void {
    const request = this.#request;
    request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#chunks = [];
    request.resume();
  }

  #take(): Buffer | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    this.#queuedBytes -= chunk.length;
    if (this.#queuedBytes < QUEUE_BYTES && this.#request.isPaused()) this.#request.resume();
    return chunk;
  }

  #fail(reason: unknown): void {
    this.#failure ??= reason;
    this.#wake?.();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#transfer.moved(chunk.length);
    this.#chunks.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= QUEUE_BYTES) this.#request.pause();
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  readonly #onClose = (): void => {
    if (!this.#ended) {
      this.#fail(new ServiceError('body_incomplete', 'the client left before its body was complete'));
    }
  };

  readonly #onAbort = (): void => this.#fail(this.#signal.reason);
}
