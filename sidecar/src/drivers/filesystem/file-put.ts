import { link as linkWithCallback } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { BlobFacts } from '../../bytes/blob-facts.ts';
import {
  CheckedWriter,
  keepExisting,
  type ObjectWriter,
  type PutOutcome,
  type WriteSteps,
} from '../../bytes/object-writer.ts';
import { Pieces } from '../../bytes/pieces.ts';
import { verify } from '../../bytes/verified-body.ts';
import { IntegrityError } from '../../errors/integrity-error.ts';
import type { PutOptions, StoredBlob } from '../driver.ts';
import type { DirectorySync } from './directory-sync.ts';
import { removeEmptyFoldersUpwards } from './empty-folders.ts';
import { errorCode, fileOperation } from './failures.ts';
import { openFile } from './file-blob.ts';
import type { OpenFile } from './open-file.ts';
import type { RecentPaths } from './recent-paths.ts';
import type { TemporaryFile, TemporaryFiles } from './temporary-files.ts';

/** As `OpenFile`, cheaper than the function of `node:fs/promises`. */
const link = promisify(linkWithCallback);

/** How often a folder may be removed, as empty, between its making and the link into it. */
const LINK_ATTEMPTS = 4;

/** A data folder, as its puts know it. */
export interface PutFolders {
  readonly root: string;
  readonly sync: DirectorySync;
  readonly temporary: TemporaryFiles;
  readonly recent: RecentPaths;
}

/** The put of an object into the file at `path`. */
export interface FileToPut {
  readonly folders: PutFolders;
  readonly path: string;
  readonly facts: BlobFacts;
  readonly options: PutOptions;
}

/** @throws StorageError; the signal's reason */
export async function beginFile(put: FileToPut): Promise<ObjectWriter> {
  const { folders, path, facts, options } = put;
  return await storing(async () => {
    const decision = await decide(put);
    options.signal.throwIfAborted();
    const steps =
      decision === 'keep'
        ? keepExisting(() => storing(() => folders.sync.settle(dirname(path))))
        : new FilePut(await folders.temporary.create(), put);
    return new CheckedWriter(steps, facts, options.signal);
  });
}

function storing<T>(operation: () => Promise<T>): Promise<T> {
  return fileOperation('store the payload', operation);
}

/** Decides what happens to the file at the path: a hit is acknowledged only when the bytes on the disk are the promised ones. */
async function decide({ path, facts, options }: FileToPut): Promise<'create' | 'keep' | 'replace'> {
  if (options.replace) return 'replace';
  const blob = await openFile(path);
  if (blob === undefined) return 'create';
  if (!options.keepExisting && blob.size === facts.size)
    return (await isIntact(blob, facts, options.signal)) ? 'keep' : 'replace';
  await blob.close();
  return options.keepExisting ? 'keep' : 'replace';
}

async function isIntact(blob: StoredBlob, facts: BlobFacts, signal: AbortSignal): Promise<boolean> {
  try {
    await verify(blob, facts, signal);
    return true;
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}

/** Writes a temporary file in pieces: one is written while the next is received. It gets its name when its bytes are on the disk. */
class FilePut implements WriteSteps {
  readonly #file: TemporaryFile;
  readonly #put: FileToPut;
  readonly #pieces: Pieces;

  /** Takes over the file. */
  constructor(file: TemporaryFile, put: FileToPut) {
    this.#file = file;
    this.#put = put;
    this.#pieces = new Pieces(put.facts.size, (piece) => storing(() => writeWhole(file.opened, piece)));
  }

  write(chunk: Buffer): Promise<void> | undefined {
    return this.#pieces.write(chunk);
  }

  async commit(): Promise<PutOutcome> {
    const { folders, path, options } = this.#put;
    return await storing(async () => {
      await this.#pieces.end();
      this.#pieces.release();
      await this.#file.opened.datasync();
      options.signal.throwIfAborted();
      const outcome = await this.#publish();
      await Promise.all([folders.sync.settle(dirname(path)), this.#file.discard()]);
      folders.recent.add(path);
      return outcome;
    });
  }

  async abort(): Promise<void> {
    await this.#file.discard();
  }

  async #publish(): Promise<PutOutcome> {
    const { path, folders } = this.#put;
    const isLinked = await this.#link().catch(async (error) => {
      await removeEmptyFoldersUpwards(dirname(path), folders.root);
      throw error;
    });
    if (isLinked) return 'created';
    if ((await decide(this.#put)) === 'keep') return 'existed';
    await rename(this.#file.path, path);
    return 'created';
  }

  /** `false` when the name is taken. The folder may be missing, or be removed while it is empty, so it is made on demand. */
  async #link(): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await link(this.#file.path, this.#put.path);
        return true;
      } catch (error) {
        if (errorCode(error) === 'EEXIST') return false;
        if (errorCode(error) !== 'ENOENT' || attempt === LINK_ATTEMPTS) throw error;
        await this.#put.folders.sync.make(dirname(this.#put.path));
      }
    }
  }
}

/** A write may take fewer bytes than given (write(2)). */
async function writeWhole(file: OpenFile, piece: Buffer): Promise<void> {
  for (let written = 0; written < piece.length; ) {
    written += await file.write(piece, written);
  }
}
