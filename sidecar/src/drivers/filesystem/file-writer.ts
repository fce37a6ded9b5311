import type { FileHandle } from 'node:fs/promises';
import type { PutOutcome, WriteSteps } from '../../bytes/object-writer.ts';
import { fileOperation } from './failures.ts';
import type { TemporaryFile } from './temporary-files.ts';

/** What a put does, in messages. */
export const STORING = 'store the payload';
/** Bytes collected before a write is given to the disk; the next batch is received meanwhile, so twice that is held. */
const BATCH_BYTES = 512 * 1024;
/** The most buffers that one writev(2) takes (IOV_MAX). Without it a body of tiny chunks would cost many times its size. */
const BATCH_BUFFERS = 1_024;

/** Writes a temporary file in batches, one batch behind what is received, and publishes it when its bytes are on the disk. */
export class FileWriter implements WriteSteps {
  readonly #file: TemporaryFile;
  readonly #publish: (file: TemporaryFile) => Promise<PutOutcome>;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  /** @param publish gives the file the object's name, durably, and discards the temporary one */
  constructor(file: TemporaryFile, publish: (file: TemporaryFile) => Promise<PutOutcome>) {
    this.#file = file;
    this.#publish = publish;
  }

  write(chunk: Buffer): Promise<void> | undefined {
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    if (this.#batchBytes < BATCH_BYTES && this.#batch.length < BATCH_BUFFERS) return undefined;
    return fileOperation(STORING, () => this.#startBatch());
  }

  async commit(): Promise<PutOutcome> {
    return await fileOperation(STORING, async () => {
      await this.#startBatch();
      await this.#writing;
      await this.#file.handle.datasync();
      return await this.#publish(this.#file);
    });
  }

  async abort(): Promise<void> {
    await this.#file.discard();
  }

  async #startBatch(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#writing;
    this.#writing = writeBuffers(this.#file.handle, batch);
    // It may fail before anybody waits for it; the next batch or the commit does.
    this.#writing.catch(() => {});
  }
}

async function writeBuffers(file: FileHandle, buffers: Buffer[]): Promise<void> {
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
