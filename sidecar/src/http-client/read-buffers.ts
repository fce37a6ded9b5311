const KIB = 1024;
const SIZES = [128 * KIB, 256 * KIB, 512 * KIB, 1024 * KIB];
/** Behind the last byte of a body, so that surplus bytes are seen by the read that brings them. */
export const SLACK = 1 * KIB;
/** Bytes that are kept for later bodies. */
const MOST_KEPT = 16 * 1024 * KIB;
/** They are given back to the system when none was taken for this time. */
const KEPT_FOR_MS = 10_000;

/** Memory for bytes that arrive. Filling the same memory again costs much less than new memory, which the system clears first. */
export class ReadBuffers {
  readonly largest = SIZES.at(-1) as number;
  readonly #kept = new Map<number, Buffer[]>(SIZES.map((size) => [size + SLACK, []]));
  readonly #mostKept: number;
  readonly #keptForMs: number;
  #keptBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(mostKept = MOST_KEPT, keptForMs = KEPT_FOR_MS) {
    this.#mostKept = mostKept;
    this.#keptForMs = keptForMs;
  }

  /** bytes that are kept */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** @param length at most `largest`. @returns a buffer of more bytes than that, with any content */
  take(length: number): Buffer {
    const size = (SIZES.find((each) => length <= each) ?? this.largest) + SLACK;
    const buffer = this.#kept.get(size)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size);
    this.#keptBytes -= size;
    return buffer;
  }

  /** Takes back what `take` gave, once nothing reads or fills it. */
  give(buffer: Buffer): void {
    if (this.#keptBytes + buffer.length > this.#mostKept) {
      free(buffer);
      return;
    }
    this.#kept.get(buffer.length)?.push(buffer);
    this.#keptBytes += buffer.length;
    this.#timer ??= setTimeout(() => this.#freeAll(), this.#keptForMs).unref();
    this.#timer.refresh();
  }

  #freeAll(): void {
    for (const buffers of this.#kept.values()) for (const buffer of buffers.splice(0)) free(buffer);
    this.#keptBytes = 0;
  }
}

/** The collector would free it only after the next pressure on the heap, which an idle process does not have. */
function free(buffer: Buffer): void {
  (buffer.buffer as ArrayBuffer).transfer(0);
}

/** Of the process. */
export const READ_BUFFERS = new ReadBuffers();

/**
 * Where all connections put heads, and what arrives when nothing is expected. The callback of a read runs before any other
 * read, so one place is enough.
 */
export const SCRATCH = Buffer.allocUnsafeSlow(64 * KIB);
