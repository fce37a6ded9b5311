import { constants, type FileHandle, link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { BlobFacts } from '../../bytes/blob-facts.ts';
import { drain, verify } from '../../bytes/verified-body.ts';
import { IntegrityError } from '../../errors/integrity-error.ts';
import type { StorageError } from '../../errors/storage-error.ts';
import {
  type DeleteOutcome,
  type Driver,
  type ListedObject,
  LONGEST_NAME,
  type PutOptions,
  type StoredBlob,
} from '../driver.ts';
import { DirectorySync, FOLDER_MODE, syncFolder } from './directory-sync.ts';
import { removeEmptyFolders, removeEmptyFoldersUpwards } from './empty-folders.ts';
import { errorCode, fileOperation, NO_SPACE, toStorageError, unless } from './failures.ts';
import { listFiles, listLevel } from './list-files.ts';
import { objectPath } from './object-paths.ts';
import { blobOfFile } from './read-blob.ts';
import { OWN_FOLDER, TemporaryFiles } from './temporary-files.ts';
import { writeBody } from './write-body.ts';

const SWEEP_INTERVAL = 60 * 60 * 1_000;
/** Files deleted at the same time: more than the thread pool has threads gains nothing. */
const DELETES_AT_ONCE = 16;
/** How often a folder may be removed, as empty, between its making and the link into it. */
const LINK_ATTEMPTS = 4;

/**
 * Objects as files, named as they are, in one folder on one filesystem with hard links. Several processes may share it.
 * A file gets its name by link(2) after its verified bytes are on the disk, so that a name is never seen on a part.
 */
export class FilesystemDriver implements Driver {
  readonly kind = 'filesystem';
  readonly longestName = LONGEST_NAME;
  readonly #root: string;
  readonly #folders: DirectorySync;
  readonly #temporary: TemporaryFiles;
  #sweeping: NodeJS.Timeout | undefined;

  private constructor(root: string) {
    this.#root = root;
    this.#folders = new DirectorySync(root);
    this.#temporary = new TemporaryFiles(root);
  }

  /** Makes the folder if it is missing, and removes what killed processes left in it. @throws StorageError */
  static async start(folder: string): Promise<FilesystemDriver> {
    const driver = new FilesystemDriver(resolve(folder));
    await fileOperation(`use the data folder ${folder}`, async () => {
      await makeRoot(driver.#root);
      await driver.#temporary.prepare();
      await driver.#sweep();
    });
    driver.#sweeping = setInterval(() => void driver.#sweep().catch(() => {}), SWEEP_INTERVAL).unref();
    return driver;
  }

  async put(name: string, body: AsyncIterable<Buffer>, facts: BlobFacts, options: PutOptions) {
    return await fileOperation('store the payload', async () => {
      const path = this.#path(name);
      const existing = await this.#examine(path, facts, options);
      options.signal.throwIfAborted();
      if (existing === 'absent' || existing === 'damaged')
        return await this.#write(path, body, facts, options);
      await drain(body, options.signal);
      await this.#folders.settle(dirname(path));
      return 'existed';
    });
  }

  async open(name: string, signal: AbortSignal): Promise<StoredBlob | undefined> {
    signal.throwIfAborted();
    return await fileOperation('read the payload', () => openFile(this.#path(name)));
  }

  async *listLevel(prefix: string, signal: AbortSignal): AsyncIterable<string> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    if (folder === '/') return;
    const path = folder === '' ? this.#root : this.#path(folder.slice(0, -1));
    try {
      for await (const name of listLevel(path, folder, signal)) {
        if (name !== `${OWN_FOLDER}/` && name.startsWith(prefix)) yield name;
      }
    } catch (error) {
      throw toStorageError(error, 'list the data folder');
    }
  }

  async *list(folder: string, signal: AbortSignal): AsyncIterable<ListedObject[]> {
    try {
      yield* listFiles(`${this.#path(folder.slice(0, -1))}/`, folder, signal);
    } catch (error) {
      throw toStorageError(error, 'list the data folder');
    }
  }

  async delete(names: readonly string[], signal: AbortSignal): Promise<DeleteOutcome> {
    signal.throwIfAborted();
    const deleted: string[] = [];
    const failed: { name: string; error: StorageError }[] = [];
    const queue = names.values();
    const work = async () => {
      for (const name of queue) {
        if (signal.aborted) return;
        try {
          await unlink(this.#path(name));
          deleted.push(name);
        } catch (error) {
          if (errorCode(error) === 'ENOENT') continue;
          failed.push({ name, error: toStorageError(error, `delete ${name}`) as StorageError });
        }
      }
    };
    await Promise.all(Array.from({ length: DELETES_AT_ONCE }, work));
    signal.throwIfAborted();
    return { deleted, failed };
  }

  async removeFolder(folder: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const path = `${this.#path(folder.slice(0, -1))}/`;
    await fileOperation('remove empty folders', () => removeEmptyFolders(path, signal));
  }

  async currentTime(signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    return await fileOperation('write to the data folder', async () => {
      const file = await unless(NO_SPACE, this.#temporary.create());
      // A full disk has to tell the time all the same, or the reaper could never make room on it.
      if (file === undefined) return await this.#temporary.touch();
      try {
        return (await file.handle.stat()).mtimeMs;
      } finally {
        await file.discard();
      }
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await fileOperation('remove temporary files', () => this.#temporary.remove());
  }

  async #sweep(): Promise<void> {
    await this.#temporary.sweep(await this.currentTime(AbortSignal.timeout(10_000)));
  }

  /** A hit is acknowledged only when the bytes on the disk are the promised ones: an altered file gets replaced. */
  async #examine(
    path: string,
    facts: BlobFacts,
    { keepExisting = false, replace = false, signal }: PutOptions,
  ): Promise<'absent' | 'intact' | 'damaged'> {
    if (replace) return 'damaged';
    const blob = await openFile(path);
    if (blob === undefined) return 'absent';
    if (keepExisting || blob.size !== facts.size) {
      await blob.close();
      return keepExisting ? 'intact' : 'damaged';
    }
    try {
      await verify(blob.chunks(), facts, signal);
      return 'intact';
    } catch (error) {
      if (error instanceof IntegrityError) return 'damaged';
      throw error;
    }
  }

  async #write(path: string, body: AsyncIterable<Buffer>, facts: BlobFacts, options: PutOptions) {
    const file = await this.#temporary.create();
    try {
      await writeBody(file.handle, body, options.signal);
      await file.handle.datasync();
      options.signal.throwIfAborted();
      const outcome = await this.#commit(file.path, path, facts, options);
      await Promise.all([this.#folders.settle(dirname(path)), file.discard()]);
      return outcome;
    } finally {
      await file.discard();
    }
  }

  async #commit(temporary: string, path: string, facts: BlobFacts, options: PutOptions) {
    const linked = await this.#link(temporary, path).catch(async (error) => {
      await removeEmptyFoldersUpwards(dirname(path), this.#root);
      throw error;
    });
    if (linked) return 'created';
    if ((await this.#examine(path, facts, options)) === 'intact') return 'existed';
    await rename(temporary, path);
    return 'created';
  }

  /** `false` when the name is taken. The folder may be missing, or be removed while it is empty, so it is made on demand. */
  async #link(temporary: string, path: string): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await link(temporary, path);
        return true;
      } catch (error) {
        if (errorCode(error) === 'EEXIST') return false;
        if (errorCode(error) !== 'ENOENT' || attempt === LINK_ATTEMPTS) throw error;
        await this.#folders.make(dirname(path));
      }
    }
  }

  #path(name: string): string {
    return objectPath(this.#root, name);
  }
}

/** Makes the data folder and those above it where they are missing, their entries as durable as those below it will be. */
async function makeRoot(root: string): Promise<void> {
  const firstMade = await mkdir(root, { recursive: true, mode: FOLDER_MODE });
  if (firstMade === undefined) return;
  for (let at = root; at.length >= firstMade.length; at = dirname(at)) await syncFolder(dirname(at));
}

async function openFile(path: string): Promise<StoredBlob | undefined> {
  const file = await unless(['ENOENT', 'ENOTDIR'], open(path, constants.O_RDONLY));
  if (file === undefined) return undefined;
  const size = await sizeOfFile(file);
  if (size !== undefined) return blobOfFile(file, size);
  await file.close();
  return undefined;
}

async function sizeOfFile(file: FileHandle): Promise<number | undefined> {
  const status = await file.stat();
  return status.isFile() ? status.size : undefined;
}
