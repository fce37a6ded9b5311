import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import type { Readable } from 'node:stream';
import { setImmediate as nextLoopIteration } from 'node:timers/promises';

/**
 * What a request sends: bytes, or a function that opens a stream of them. The stream is destroyed when sending ends,
 * whatever the outcome.
 */
export type RequestBody = Uint8Array | (() => Readable);

const sliceBytes = 256 * 1024;

/** Made once: without a reason each abort would make an error with its stack. */
const stopped = new Error('the request is over');

/** Sends one body of a length known beforehand, and stops at once when there is no more point in sending. */
export class BodySender {
  readonly #request: ClientRequest;
  readonly #stop = new AbortController();
  #remainingBytes: number;
  #source: Readable | undefined;

  constructor(request: ClientRequest, size: number) {
    this.#request = request;
    this.#remainingBytes = size;
  }

  /** Whether every byte has been handed to the connection. */
  get isComplete(): boolean {
    return this.#remainingBytes === 0;
  }

  /** The request was answered or has failed: sends nothing more, and frees the source. */
  stop(): void {
    this.#stop.abort(stopped);
    this.#source?.destroy();
  }

  /**
   * Resolves when all is sent or after {@link stop}.
   * @throws TypeError when the body is not as long as announced, and whatever the source throws. The request is then
   * unfinished and must be destroyed.
   */
  async send(body: RequestBody): Promise<void> {
    try {
      // Not `instanceof Uint8Array`: bytes made in another realm, a workflow's in debug mode, are of another class.
      if (typeof body === 'function') await this.#sendStream(body);
      else await this.#sendSlices(body);
    } catch (failure) {
      if (!this.#stop.signal.aborted) throw failure;
    }
    if (this.isComplete) this.#request.end();
    else if (!this.#stop.signal.aborted) throw new TypeError('the body is shorter than its announced size');
  }

  async #sendStream(open: () => Readable): Promise<void> {
    const source = open();
    this.#source = source;
    if (this.#stop.signal.aborted) source.destroy();
    for await (const chunk of source) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('the body must be a stream of bytes');
      await this.#sendSlices(chunk);
    }
  }

  async #sendSlices(bytes: Uint8Array): Promise<void> {
    if (bytes.byteLength > this.#remainingBytes) {
      throw new TypeError('the body is longer than its announced size');
    }
    for (let start = 0; start < bytes.byteLength; start += sliceBytes) {
      if (this.#stop.signal.aborted) return;
      const slice = bytes.subarray(start, start + sliceBytes);
      const flushed = this.#request.write(slice);
      this.#remainingBytes -= slice.byteLength;
      if (!flushed) await once(this.#request, 'drain', { signal: this.#stop.signal });
      // Writes that fit into the socket's buffers never wait: without this an early answer would not be noticed.
      await nextLoopIteration();
    }
  }
}
