/**
 * Takes bytes in order, with back-pressure. Chunks are lent: the sink has used a chunk when its write has ended, and looks at
 * it no more. The caller then fills it anew, or frees it. A write that failed may have left the chunk to the kernel, so the
 * caller leaves that one to the garbage collector.
 */
export interface ByteSink {
  /**
   * Takes the next bytes. The write has ended with `undefined`, else when the promise has resolved, and the next one may
   * follow. Throws or rejects when the sink takes no more.
   */
  write(chunk: Buffer): Promise<void> | undefined;
}

/** Has bytes that can be read once, and lends their chunks to the sink. */
export interface ByteSource {
  /** Writes all bytes into the sink, in order. Rejects when they cannot be read, and with what the sink throws. */
  readInto(sink: ByteSink): Promise<void>;
}

/** Chunks in memory, or chunks that arrive. An iterable that a sink refuses is left early. */
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
