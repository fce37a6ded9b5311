import type { ByteSink, GivingSource, KeepingSink } from '../../bytes/byte-streams.ts';
import type { PutOutcome, WriteSteps } from '../../bytes/object-writer.ts';

/**
 * Sends a body as it is written, by a request that runs from the beginning on and reads it here. A write resolves when the
 * request has taken its chunk. The last chunk waits for the commit, so that an aborted object is never whole at the service.
 * The request may end before it has read everything; its outcome then decides whether the rest is needed.
 */
export class StreamedPut implements WriteSteps, GivingSource {
  /** Whether the request has begun to read: from then on the bytes cannot be sent again. */
  begun = false;
  readonly #size: number;
  readonly #stop = new AbortController();
  readonly #outcome: Promise<PutOutcome>;
  #written = 0;
  #last: Buffer | undefined;
  #offered: Buffer | undefined;
  #over: { readonly failure?: unknown } | undefined;
  /** Wakes the reader or the writer: at most one of them waits for the other. */
  #wake = () => {};

  /**
   * @param size bytes, at least one
   * @param put may resolve with `existed` before it has read the body
   */
  constructor(
    size: number,
    signal: AbortSignal,
    put: (body: StreamedPut, signal: AbortSignal) => Promise<PutOutcome>,
  ) {
    this.#size = size;
    this.#outcome = put(this, AbortSignal.any([signal, this.#stop.signal]));
    this.#outcome.then(
      () => this.#end({}),
      (failure) => this.#end({ failure }),
    );
  }

  write(chunk: Buffer): Promise<void> | undefined {
    this.#written += chunk.length;
    if (this.#written < this.#size || this.#over !== undefined) return this.#offer(chunk);
    this.#last = chunk;
    return undefined;
  }

  async commit(): Promise<PutOutcome> {
    this.#offered = this.#last;
    this.#wake();
    return await this.#outcome;
  }

  /** Ends the request in the middle of its body, so that the service sees an object that is not whole. */
  async abort(reason: unknown): Promise<void> {
    this.#stop.abort(reason);
    this.#end({ failure: reason });
    await this.#outcome;
  }

  async readInto(sink: ByteSink | KeepingSink): Promise<void> {
    this.begun = true;
    for (let read = 0; read < this.#size; ) {
      await this.#until(() => this.#offered !== undefined);
      if (this.#offered === undefined) throw this.#over?.failure;
      const chunk = this.#offered;
      await sink.write(chunk);
      read += chunk.length;
      this.#offered = undefined;
      this.#wake();
    }
  }

  async #offer(chunk: Buffer): Promise<void> {
    this.#offered = chunk;
    this.#wake();
    await this.#until(() => this.#offered === undefined);
    if (this.#over !== undefined && 'failure' in this.#over) throw this.#over.failure;
  }

  /** Or until the request is over. */
  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo() && this.#over === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #end(outcome: { readonly failure?: unknown }): void {
    this.#over ??= outcome;
    this.#wake();
  }
}
