/** Takes bytes in order, with back-pressure, and has used a chunk when its write has ended: the caller may fill it anew then. */
export interface ByteSink {
  /**
   * Takes the next bytes. The next write may follow at once after `undefined`, else when the promise has resolved. Throws or
   * rejects when the sink takes no more.
   */
  write(chunk: Buffer): Promise<void> | undefined;
  readonly keepsChunks?: never;
}

/** As a `ByteSink`, but it may keep a chunk after the write: the caller must not change it. */
export interface KeepingSink {
  write(chunk: Buffer): Promise<void> | undefined;
  /** Makes it a type error to write lent chunks into it. */
  readonly keepsChunks: true;
}

/** Has bytes that can be read once, and lends their chunks to the sink. */
export interface ByteSource {
  /** Writes all bytes into the sink, in order. Rejects when they cannot be read, and with what the sink throws. */
  readInto(sink: ByteSink): Promise<void>;
}

/** As a `ByteSource`, but it never touches a chunk again, so that the sink may keep it. */
export interface GivingSource {
  /** A property, not a method: TypeScript would accept a lending source for a method of this type. */
  readonly readInto: (sink: ByteSink | KeepingSink) => Promise<void>;
}

/** Gives away chunks in memory, or chunks that arrive. An iterable that a sink refuses is left early. */
export function sourceOf(chunks: Iterable<Buffer> | AsyncIterable<Buffer>): GivingSource {
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
