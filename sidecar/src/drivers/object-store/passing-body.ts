import type { ByteSink, ByteSource } from '../../bytes/byte-streams.ts';

/**
 * A body that goes on to the service as it is written: a write resolves when the reader has taken its chunk. The last chunk
 * stays here until `end`, so that an object which is aborted in place of its commit is not whole there. The reader may leave
 * before the end; whoever made the request then closes the body, and so tells the writer whether the rest is needed.
 */
export class PassingBody implements ByteSource {
  /** Whether somebody has begun to read: from then on the bytes cannot be sent again. */
  begun = false;
  readonly #size: number;
  #written = 0;
  #last: Buffer | undefined;
  #offered: Buffer | undefined;
  #closed: { readonly failure?: unknown } | undefined;
  #wakeReader = () => {};
  #wakeWriter = () => {};

  /** @param size bytes that will be written; at least one */
  constructor(size: number) {
    this.#size = size;
  }

  write(chunk: Buffer): Promise<void> | undefined {
    this.#written += chunk.length;
    if (this.#written < this.#size || this.#closed !== undefined) return this.#offer(chunk);
    this.#last = chunk;
    return undefined;
  }

  /** All bytes were written: the last chunk may go. */
  end(): void {
    this.#offered = this.#last;
    this.#wakeReader();
  }

  /** No more is read. @param outcome with a failure, writes reject with it; without, the bytes that are left are not needed */
  close(outcome: { readonly failure?: unknown }): void {
    this.#closed ??= outcome;
    this.#wakeReader();
    this.#wakeWriter();
  }

  async readInto(sink: ByteSink): Promise<void> {
    this.begun = true;
    for (let read = 0; read < this.#size; ) {
      const chunk = await this.#nextOffer();
      await sink.write(chunk);
      read += chunk.length;
      this.#offered = undefined;
      this.#wakeWriter();
    }
  }

  async #offer(chunk: Buffer): Promise<void> {
    this.#offered = chunk;
    this.#wakeReader();
    while (this.#offered !== undefined && this.#closed === undefined) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
    if (this.#closed !== undefined && 'failure' in this.#closed) throw this.#closed.failure;
  }

  async #nextOffer(): Promise<Buffer> {
    while (this.#offered === undefined) {
      if (this.#closed !== undefined) throw this.#closed.failure;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
    return this.#offered;
  }
}
