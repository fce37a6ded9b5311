const KIB = 1024;
const SIZES = [128 * KIB, 256 * KIB, 512 * KIB, 1024 * KIB];
/** Smaller buffers are not worth keeping. */
const LEAST_KEPT = 64 * KIB;
/** Bytes that are kept for later bodies. */
const MOST_KEPT = 16 * 1024 * KIB;
/** Kept buffers are freed when none was given back for this time. */
const KEPT_FOR_MS = 10_000;

/** Memory for bodies. Filling the same memory again costs much less than new memory, which the system clears first. */
export class BufferPool {
  readonly largest = SIZES.at(-1) as number;
  readonly #kept = new Map<number, Buffer[]>(SIZES.map((size) => [size, []]));
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

  /** @returns the memory that `take(bytes)` takes, in bytes */
  sizeFor(bytes: number): number {
    if (bytes < LEAST_KEPT) return bytes;
    return SIZES.find((size) => bytes <= size) ?? bytes;
  }

  /** @returns a buffer of `bytes` or more bytes, with any content */
  take(bytes: number): Buffer {
    const size = this.sizeFor(bytes);
    const buffer = this.#kept.get(size)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size);
    this.#keptBytes -= size;
    return buffer;
  }

  /** Takes back a buffer of `take`. Nothing, not even the kernel, may read or fill it any more. */
  give(buffer: Buffer): void {
    const alike = this.#kept.get(buffer.length);
    if (alike === undefined || this.#keptBytes + buffer.length > this.#mostKept) {
      free(buffer);
      return;
    }
    alike.push(buffer);
    this.#keptBytes += buffer.length;
    this.#timer ??= setTimeout(() => this.#freeAll(), this.#keptForMs).unref();
    this.#timer.refresh();
  }

  #freeAll(): void {
    for (const buffers of this.#kept.values()) for (const buffer of buffers.splice(0)) free(buffer);
    this.#keptBytes = 0;
  }
}

/**
 * Frees the memory of a chunk now, if no other buffer shares it. Otherwise the collector would free it later, and memory
 * outside its heap makes V8 collect the whole heap. The chunk is empty afterwards, so a late reader in JavaScript gets no other
 * bytes. Nothing outside JavaScript, such as a system call under way, may still use the chunk.
 */
export function free({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** The pool of the process. */
export const BODY_BUFFERS = new BufferPool();
