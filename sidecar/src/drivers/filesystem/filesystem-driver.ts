import { mkdir, stat, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { BlobFacts } from '../../bytes/blob-facts.ts';
import type { ObjectWriter } from '../../bytes/object-writer.ts';
import { StorageError } from '../../errors/storage-error.ts';
import {
  type DeleteOutcome,
  type Driver,
  type ListedObject,
  LONGEST_NAME,
  type PutOptions,
  type StoredBlob,
} from '../driver.ts';
import { DirectorySync, FOLDER_MODE, syncFolder } from './directory-sync.ts';
import { removeEmptyFolders } from './empty-folders.ts';
import { errorCode, fileOperation, NO_SPACE, toStorageError, unless } from './failures.ts';
import { openFile } from './file-blob.ts';
import { beginFile, type PutFolders } from './file-put.ts';
import { listFiles, listLevel } from './list-files.ts';
import { objectPath } from './object-paths.ts';
import { OWN_FOLDER, TemporaryFiles } from './temporary-files.ts';

const SWEEP_INTERVAL_MS = 60 * 60 * 1_000;
/** Files deleted at the same time: more than the thread pool has threads gains nothing. */
const DELETES_AT_ONCE = 16;

/**
 * Objects as files, named as they are, in one folder on one filesystem with hard links. Several processes may share it.
 * A file gets its name by link(2) after its verified bytes are on the disk, so that no name ever shows a part.
 */
export class FilesystemDriver implements Driver {
  readonly kind = 'filesystem';
  readonly longestName = LONGEST_NAME;
  readonly #root: string;
  readonly #temporary: TemporaryFiles;
  readonly #folders: PutFolders;
  #sweeping: NodeJS.Timeout | undefined;

  private constructor(root: string) {
    this.#root = root;
    this.#temporary = new TemporaryFiles(root);
    this.#folders = { root, sync: new DirectorySync(root), temporary: this.#temporary };
  }

  /** Makes the folder if it is missing, and removes what killed processes left in it. @throws StorageError */
  static async start(folder: string): Promise<FilesystemDriver> {
    const driver = new FilesystemDriver(resolve(folder));
    await fileOperation(`use the data folder ${folder}`, async () => {
      await makeRoot(driver.#root);
      await driver.#temporary.prepare();
      await driver.#sweep();
    });
    driver.#sweeping = setInterval(() => void driver.#sweep().catch(() => {}), SWEEP_INTERVAL_MS).unref();
    return driver;
  }

  async begin(name: string, facts: BlobFacts, options: PutOptions): Promise<ObjectWriter> {
    return await beginFile({ folders: this.#folders, path: this.#path(name), facts, options });
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
      // The time must be known on a full disk too, or the reaper could never make room on it.
      if (file === undefined) return await this.#temporary.touch();
      try {
        return (await file.opened.status()).mtimeMs;
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

  #path(name: string): string {
    return objectPath(this.#root, name);
  }
}

/**
 * Makes the data folder and those above it where they are missing, durably. One by one: Node's recursive mkdir reports ENOENT
 * on a read-only filesystem, and never ends where no folder can be made, as in /proc.
 */
async function makeRoot(root: string): Promise<void> {
  if (await isMade(root)) await syncFolder(dirname(root));
}

/** `false` when the folder was there. */
async function isMade(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, FOLDER_MODE);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && (await stat(folder)).isDirectory()) return false;
    if (errorCode(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
  }
  if (await isMade(dirname(folder))) await syncFolder(dirname(dirname(folder)));
  const made = mkdir(folder, FOLDER_MODE).then(() => true);
  return (
    (await unless(
      ['EEXIST'],
      made.catch((error) => Promise.reject(inFolder(error, dirname(folder)))),
    )) ?? false
  );
}

/** The folder is there, so ENOENT does not mean what it says. */
function inFolder(error: unknown, folder: string): unknown {
  if (errorCode(error) !== 'ENOENT') return error;
  const message = `cannot use the data folder: ${folder} takes no new folders; name one on a disk`;
  return new StorageError('unavailable', message, { cause: error });
}
