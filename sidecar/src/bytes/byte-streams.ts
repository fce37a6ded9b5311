/**
 * Takes bytes in order, with back-pressure. Chunks are lent: a sink may use a chunk only until its write has ended. The caller
 * then fills it anew, or frees it. After a write that failed the kernel may still read the chunk, so the caller leaves it to the
 * garbage collector.
 */
export interface ByteSink {
  /**
   * Takes the next bytes. The write has ended when it returns `undefined`, or when its promise has resolved; then the next
   * write may follow. Throws or rejects when the sink takes no more bytes.
   */
  write(chunk: Buffer): Promise<void> | undefined;
}

/** Has bytes that can be read once, and lends their chunks to the sink. */
export interface ByteSource {
  /** Writes all bytes into the sink, in order. Rejects when they cannot be read, and with what the sink throws. */
  readInto(sink: ByteSink): Promise<void>;
}

/** A source of chunks in memory, or of chunks that arrive. If the sink throws, the iterable is left early. */
export function sourceOf(chunks: Iterable<Buffer> | AsyncIterable<Buffer>): ByteSource {
  return {
    async readInto(sink) {
      for await (const chunk of chunks) await sink.write(chunk);
    },
  };
}

/** Reads the source to its end. @throws the signal's reason */
export async function drain(source: ByteSource, signal?: AbortSignal): Promise<void> {
  const assertWanted = () => signal?.throwIfAborted();
  await source.readInto({ write: assertWanted as () => undefined });
  assertWanted();
}

/** All bytes of the source. */
export async function bytesOf(source: ByteSource): Promise<Buffer> {
  const copies: Buffer[] = [];
  await source.readInto({
    write(chunk) {
      copies.push(Buffer.from(chunk));
      return undefined;
    },
  });
  return Buffer.concat(copies);
}
