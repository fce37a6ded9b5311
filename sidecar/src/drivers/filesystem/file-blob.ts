import { constants, type FileHandle, open } from 'node:fs/promises';
import type { ByteSink } from '../../bytes/byte-streams.ts';
import type { StoredBlob } from '../driver.ts';
import { fileOperation, unless } from './failures.ts';

/** Bytes read at once. A blob up to this size is one chunk. */
const READ_BYTES = 512 * 1024;
const SPARE_BUFFERS = 16;

const spareBuffers: Buffer[] = [];

/** The object in the file at this path; `undefined` when there is no file. */
export async function openFile(path: string): Promise<StoredBlob | undefined> {
  const file = await unless(['ENOENT', 'ENOTDIR'], open(path, constants.O_RDONLY));
  if (file === undefined) return undefined;
  const status = await file.stat();
  if (status.isFile()) return new FileBlob(file, status.size);
  await file.close();
  return undefined;
}

class FileBlob implements StoredBlob {
  readonly size: number;
  readonly #file: FileHandle;
  #closing: Promise<void> | undefined;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  async readInto(sink: ByteSink): Promise<void> {
    try {
      if (this.size > READ_BYTES) await readInTurns(this.#file, sink);
      else await sink.write(await fill(this.#file, Buffer.allocUnsafeSlow(this.size)));
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.#closing ??= this.#file.close();
    await this.#closing;
  }
}

/** Two buffers take turns: one is read into while the sink uses the other. */
async function readInTurns(file: FileHandle, sink: ByteSink): Promise<void> {
  let current = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  let other = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  let reading = fill(file, current);
  try {
    while (true) {
      const chunk = await reading;
      if (chunk.length === 0) return;
      [current, other] = [other, current];
      reading = fill(file, current);
      // The sink may fail while this read is under way; `finally` waits for the read, and its failure must be handled.
      reading.catch(() => {});
      await sink.write(chunk);
    }
  } finally {
    await reading.catch(() => {});
    for (const buffer of [current, other]) if (spareBuffers.length < SPARE_BUFFERS) spareBuffers.push(buffer);
  }
}

/** Reads from the file's position until the buffer is full or the file ends; the part that was filled. */
async function fill(file: FileHandle, buffer: Buffer): Promise<Buffer> {
  return await fileOperation('read the payload', async () => {
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, null);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled === buffer.length ? buffer : buffer.subarray(0, filled);
  });
}
