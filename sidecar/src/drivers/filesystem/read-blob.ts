import type { FileHandle } from 'node:fs/promises';
import type { StoredBlob } from '../driver.ts';
import { fileOperation } from './failures.ts';

/** Bytes read at once. A blob up to this size is one chunk. */
const READ_BYTES = 512 * 1024;
const SPARE_BUFFERS = 16;

const spareBuffers: Buffer[] = [];

/** A blob read from an open file, which it closes. Two buffers take turns: one is read into while the other is used. */
export function blobOfFile(file: FileHandle, size: number): StoredBlob {
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await file.close();
  };
  return {
    size,
    chunks: () => (size <= READ_BYTES ? whole(file, size, close) : inTurns(file, close)),
    close,
  };
}

async function* whole(file: FileHandle, size: number, close: () => Promise<void>): AsyncGenerator<Buffer> {
  try {
    yield await fill(file, Buffer.allocUnsafeSlow(size));
  } finally {
    await close();
  }
}

async function* inTurns(file: FileHandle, close: () => Promise<void>): AsyncGenerator<Buffer> {
  let current = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  let other = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  let reading = fill(file, current);
  try {
    while (true) {
      const chunk = await reading;
      if (chunk.length === 0) return;
      [current, other] = [other, current];
      reading = fill(file, current);
      // The consumer may leave while this read is under way; `finally` waits for it and wants its failure handled.
      reading.catch(() => {});
      yield chunk;
    }
  } finally {
    await reading.catch(() => {});
    for (const buffer of [current, other]) if (spareBuffers.length < SPARE_BUFFERS) spareBuffers.push(buffer);
    await close();
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
