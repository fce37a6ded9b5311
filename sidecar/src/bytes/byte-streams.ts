/** Takes bytes in order, with back-pressure. */
export interface ByteSink {
  /**
   * Takes the next bytes. The next write may follow at once after `undefined`, else when the promise has resolved. Throws or
   * rejects when the sink takes no more.
   *
   * The sink may use the chunk until then, and not later: the caller may fill it anew. An `ObjectWriter` keeps it longer.
   */
  write(chunk: Buffer): Promise<void> | undefined;
}

/** Has bytes that can be read once. */
export interface ByteSource {
  /** Writes all bytes into the sink, in order. Rejects when they cannot be read, and with what the sink throws. */
  readInto(sink: ByteSink): Promise<void>;
}

/** A source of chunks in memory, or of chunks that arrive. An iterable that a sink refuses is left early. */
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
