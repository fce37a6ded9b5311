/**
 * A body that goes on to the service as it arrives, one chunk behind: its last bytes pass only when it has ended well, so
 * that a body which fails at its very end is not whole there. Whoever sends it may stop half-way; the rest is then still
 * here, and its own failure can be told from the service's.
 */
export class PassingBody implements AsyncIterable<Buffer> {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** Whether a chunk was asked for: from then on it cannot be sent again. */
  begun = false;

  constructor(body: AsyncIterable<Buffer>) {
    this.#chunks = body[Symbol.asyncIterator]();
  }

  /** What is left of it; leaving the iteration does not end the body. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return { next: () => this.#next() };
  }

  /** @throws what the body threw, if it did */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Ends the body, wherever it is. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #next(): Promise<IteratorResult<Buffer>> {
    this.begun = true;
    this.throwIfFailed();
    try {
      while (true) {
        const { done, value } = await this.#chunks.next();
        // Chunks without bytes must not push the last bytes out.
        if (done !== true && value.length === 0) continue;
        const chunk = this.#held;
        this.#held = done === true ? undefined : value;
        if (chunk !== undefined) return { done: false, value: chunk };
        if (done === true) return { done: true, value: undefined };
      }
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}
