/** A buffer has a multiple of this many bytes. */
const STEP_BYTES = 32 * 1024;
/** Buffers up to this size are not kept: making one costs less than keeping it. */
const SMALL_BYTES = 64 * 1024;
/** All buffers together that are kept for the next reads. */
const KEPT_BYTES = 8 * 1024 * 1024;
/** When no buffer was given back for so long, all are freed. */
const IDLE_MS = 10_000;

/**
 * Buffers of reads that have ended, for the next ones. A new buffer for each read costs page faults, and the collector works
 * as often as such buffers fill its allowance for memory outside the heap.
 */
export class ReadBuffers {
  readonly #kept = new Map<number, Buffer[]>();
  #keptBytes = 0;
  #idle: NodeJS.Timeout | undefined;

  /** A buffer of at least `size` bytes, with the bytes of an earlier read in it. */
  take(size: number): Buffer {
    const length = Math.ceil(size / STEP_BYTES) * STEP_BYTES;
    const buffer = this.#kept.get(length)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size <= SMALL_BYTES ? size : length);
    this.#keptBytes -= length;
    return buffer;
  }

  /** A whole buffer from `take` that nobody uses any more. */
  giveBack(buffer: Buffer): void {
    const { length } = buffer;
    if (length <= SMALL_BYTES) return;
    if (this.#keptBytes + length > KEPT_BYTES) {
      free(buffer);
      return;
    }
    const alike = this.#kept.get(length);
    if (alike === undefined) this.#kept.set(length, [buffer]);
    else alike.push(buffer);
    this.#keptBytes += length;
    this.#idle ??= setTimeout(() => this.#freeAll(), IDLE_MS).unref();
    this.#idle.refresh();
  }

  #freeAll(): void {
    for (const buffer of [...this.#kept.values()].flat()) free(buffer);
    this.#kept.clear();
    this.#keptBytes = 0;
    this.#idle = undefined;
  }
}

/** Frees the memory now: an idle process does not collect garbage. */
function free(buffer: Buffer): void {
  (buffer.buffer as ArrayBuffer).transfer(0);
}
