import type { FileHandle } from 'node:fs/promises';

/** Bytes collected before a write is given to the disk; the next batch is received meanwhile, so twice that is held. */
const BATCH_BYTES = 512 * 1024;
/** The most buffers that one writev(2) takes (IOV_MAX). Without it a body of tiny chunks would cost many times its size. */
const BATCH_BUFFERS = 1_024;

/** Writes the body into the file from its start. Chunks are written in batches, one batch behind what is received. */
export async function writeBody(
  file: FileHandle,
  body: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<void> {
  let batch: Buffer[] = [];
  let batchBytes = 0;
  let writing: Promise<void> = Promise.resolve();
  try {
    for await (const chunk of body) {
      signal.throwIfAborted();
      batch.push(chunk);
      batchBytes += chunk.length;
      if (batchBytes < BATCH_BYTES && batch.length < BATCH_BUFFERS) continue;
      await writing;
      writing = writeAll(file, batch);
      // It may fail while the next chunk is awaited; whoever awaits `writing` below gets the failure.
      writing.catch(() => {});
      batch = [];
      batchBytes = 0;
    }
  } finally {
    await writing;
  }
  if (batch.length > 0) await writeAll(file, batch);
}

async function writeAll(file: FileHandle, buffers: Buffer[]): Promise<void> {
  let rest = buffers;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest);
    rest = withoutFirst(bytesWritten, rest);
  }
}

/** A write may take fewer bytes than given (write(2)); what is left of the buffers. */
function withoutFirst(bytes: number, buffers: readonly Buffer[]): Buffer[] {
  let skip = bytes;
  return buffers.flatMap((buffer) => {
    const taken = Math.min(skip, buffer.length);
    skip -= taken;
    return taken === buffer.length ? [] : [buffer.subarray(taken)];
  });
}
