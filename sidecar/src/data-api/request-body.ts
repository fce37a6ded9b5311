import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';
import type { Transfer } from './transfer-watch.ts';

/** Bytes taken from the socket ahead of the consumer. */
const QUEUE_BYTES = 128 * 1024;

/**
 * The request's body as it arrives, with back-pressure. Ends only after the last byte that Content-Length promised;
 * throws `body_incomplete` when the client leaves before, and the signal's reason when that is aborted.
 */
export async function* requestBody(
  request: IncomingMessage,
  transfer: Transfer,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const queue = new BodyQueue(request, transfer);
  const abort = () => queue.fail(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    while (true) {
      signal.throwIfAborted();
      const chunk = queue.take() ?? (await queue.next());
      if (chunk === undefined) return;
      yield chunk;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    queue.detach();
  }
}

/** Node's own iterator joins what has queued up into one copy; this hands the chunks on as they came. */
class BodyQueue {
  readonly #request: IncomingMessage;
  readonly #transfer: Transfer;
  #chunks: Buffer[] = [];
  #queuedBytes = 0;
  #ended = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(request: IncomingMessage, transfer: Transfer) {
    this.#request = request;
    this.#transfer = transfer;
    request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    // Stays attached: a connection that breaks after the body was left must not end the process.
    request.on('error', this.#onClose);
    // The client may have left while the storage was asked: its `close` is over, and no other will come.
    if (request.destroyed) this.#onClose();
  }

  take(): Buffer | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    this.#queuedBytes -= chunk.length;
    if (this.#queuedBytes < QUEUE_BYTES && this.#request.isPaused()) this.#request.resume();
    return chunk;
  }

  async next(): Promise<Buffer | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      this.#transfer.wait();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.take();
  }

  readonly fail = (reason: unknown): void => {
    this.#failure ??= reason;
    this.#wake?.();
  };

  /** Leaves the request paused no longer, so that what the client still sends is read and thrown away. */
  detach(): void {
    const request = this.#request;
    request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    request.resume();
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
    if (!this.#ended)
      this.fail(new ServiceError('body_incomplete', 'the client left before its body was complete'));
  };
}
