import type { IncomingMessage } from 'node:http';
import { free } from '../bytes/buffer-pool.ts';
import type { ByteSink, ByteSource } from '../bytes/byte-streams.ts';
import { ServiceError } from '../errors/service-error.ts';
import type { Transfer } from './transfer-watch.ts';

/**
 * The request's body, pushed into the sink as it arrives. The request is paused while the sink is busy; Node then holds up to
 * 128 KiB of it. Ends only after the last byte that Content-Length promised. Throws `body_incomplete` when the client leaves
 * earlier, and the signal's reason after an abort; both only when the sink is no longer busy. Nothing is taken from the request
 * before `readInto`.
 */
export class RequestBody implements ByteSource {
  readonly #request: IncomingMessage;
  readonly #transfer: Transfer;
  readonly #signal: AbortSignal;
  readonly #onRead: () => void;
  readonly #outcome = Promise.withResolvers<void>();
  #sink: ByteSink | undefined;
  #isBusy = false;
  #hasEnded = false;
  #failure: { readonly reason: unknown } | undefined;

  /** @param onRead called once, when the body is first asked for */
  constructor(request: IncomingMessage, transfer: Transfer, signal: AbortSignal, onRead = () => {}) {
    this.#onRead = onRead;
    this.#request = request;
    this.#transfer = transfer;
    this.#signal = signal;
  }

  async readInto(sink: ByteSink): Promise<void> {
    const request = this.#request;
    this.#sink = sink;
    this.#onRead();
    request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    // Stays attached: a connection that breaks after the body was left must not end the process.
    request.on('error', this.#onClose);
    this.#signal.addEventListener('abort', this.#onAbort);
    this.#transfer.wait();
    if (this.#signal.aborted) this.#onAbort();
    // The client may have left while the storage was asked: its `close` is over, and no other will come.
    if (request.destroyed) this.#onClose();
    await this.#outcome.promise;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#transfer.moved(chunk.length);
    if (this.#failure !== undefined) return;
    try {
      const writing = this.#sink?.write(chunk);
      if (writing === undefined) this.#goOn(chunk);
      else this.#waitFor(writing, chunk);
    } catch (error) {
      this.#fail(error);
    }
  };

  #waitFor(writing: Promise<void>, chunk: Buffer): void {
    this.#isBusy = true;
    this.#request.pause();
    const done = () => {
      this.#isBusy = false;
      this.#goOn(chunk);
      if (this.#failure !== undefined || this.#hasEnded) this.#leave();
      else this.#request.resume();
    };
    const failed = (error: unknown) => {
      this.#isBusy = false;
      this.#fail(error);
    };
    writing.then(done, failed);
  }

  /** The sink has used the chunk, and no other code has it. */
  #goOn(chunk: Buffer): void {
    free(chunk);
    this.#transfer.wait();
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#leave();
  };

  readonly #onClose = (): void => {
    if (this.#hasEnded) return;
    this.#fail(new ServiceError('body_incomplete', 'the client left before its body was complete'));
  };

  readonly #onAbort = (): void => this.#fail(this.#signal.reason);

  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#leave();
  }

  /** The request is paused no longer, so that what the client still sends is read and thrown away. */
  #leave(): void {
    if (this.#isBusy) return;
    const request = this.#request;
    request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#transfer.rest();
    request.resume();
    if (this.#failure === undefined) this.#outcome.resolve();
    else this.#outcome.reject(this.#failure.reason);
  }
}
