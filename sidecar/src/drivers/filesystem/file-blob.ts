import { constants, type Stats } from 'node:fs';
import { BODY_BUFFERS } from '../../bytes/buffer-pool.ts';
import type { ByteSink } from '../../bytes/byte-streams.ts';
import { PIECE_BYTES } from '../../bytes/pieces.ts';
import type { StoredBlob } from '../driver.ts';
import { fileOperation, unless } from './failures.ts';
import { OpenFile } from './open-file.ts';
import type { RecentPaths } from './recent-paths.ts';

/** The object in the file at this path; `undefined` when there is no file. @param recent files that can be opened at once */
export async function openFile(path: string, recent?: RecentPaths): Promise<StoredBlob | undefined> {
  const opening = recent?.has(path) === true ? OpenFile.openNow(path) : openInPool(path);
  const opened = await unless(['ENOENT', 'ENOTDIR'], opening);
  if (opened === undefined) return undefined;
  const { file, status } = opened;
  if (status.isFile()) {
    recent?.add(path);
    return new FileBlob(file, status.size);
  }
  await file.close();
  return undefined;
}

async function openInPool(path: string): Promise<{ file: OpenFile; status: Stats }> {
  const file = await OpenFile.open(path, constants.O_RDONLY);
  try {
    return { file, status: await file.status() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

class FileBlob implements StoredBlob {
  readonly size: number;
  readonly #file: OpenFile;

  constructor(file: OpenFile, size: number) {
    this.#file = file;
    this.size = size;
  }

  async readInto(sink: ByteSink): Promise<void> {
    try {
      if (this.size > BODY_BUFFERS.largest) await readInTurns(this.#file, this.size, sink);
      else await readWhole(this.#file, this.size, sink);
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** The file is closed while the sink uses its bytes. A buffer whose write failed may still be in use, so it is not used again. */
async function readWhole(file: OpenFile, size: number, sink: ByteSink): Promise<void> {
  const buffer = BODY_BUFFERS.take(size);
  const chunk = await fill(file, buffer.subarray(0, size));
  // `readInto` waits for the close, and reports its failure.
  file.close().catch(() => {});
  await sink.write(chunk);
  BODY_BUFFERS.give(buffer);
}

/** Two buffers take turns: one is read into while the sink uses the other. */
async function readInTurns(file: OpenFile, size: number, sink: ByteSink): Promise<void> {
  let [current, other] = [BODY_BUFFERS.take(PIECE_BYTES), BODY_BUFFERS.take(PIECE_BYTES)];
  let reading = fill(file, current.subarray(0, PIECE_BYTES));
  try {
    for (let next = PIECE_BYTES; ; next += PIECE_BYTES) {
      const chunk = await reading;
      [current, other] = [other, current];
      if (next < size) {
        reading = fill(file, current.subarray(0, Math.min(size - next, PIECE_BYTES)));
        // The sink may fail while this read is under way; `finally` waits for the read, and its failure must be handled.
        reading.catch(() => {});
      }
      await sink.write(chunk);
      if (next >= size || chunk.length < PIECE_BYTES) break;
    }
    // Not after a failure, as in `readWhole`.
    for (const buffer of [current, other]) BODY_BUFFERS.give(buffer);
  } finally {
    await reading.catch(() => {});
  }
}

/** Reads from the file's position until the buffer is full or the file ends; the part that was filled. */
async function fill(file: OpenFile, buffer: Buffer): Promise<Buffer> {
  return await fileOperation('read the payload', async () => {
    let filled = 0;
    while (filled < buffer.length) {
      const bytesRead = await file.read(buffer, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled === buffer.length ? buffer : buffer.subarray(0, filled);
  });
}
