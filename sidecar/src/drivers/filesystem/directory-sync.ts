import { constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, unless } from './failures.ts';
import { OpenFile } from './open-file.ts';

/** Folders remembered at most. Beyond it all are forgotten, which costs some needless fsyncs. */
const REMEMBERED_FOLDERS = 1_000;

/** Only the service may read payloads. */
export const FOLDER_MODE = 0o700;

/**
 * Makes folders, and makes their entries durable. A name survives a power cut once every folder on the way from the root
 * to it has been fsynced after its entry was made (fsync(2): "calling fsync() does not necessarily ensure that the entry
 * in the directory containing the file has also reached disk").
 */
export class DirectorySync {
  readonly #root: string;
  /** folders whose own entry, and those of all above, are known to be durable */
  readonly #durable = new Set<string>();
  readonly #running = new Map<string, { current: Promise<void>; next?: Promise<void> }>();

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Makes the folder and all above it, but never the root: where that is missing the store's filesystem is not mounted,
   * and files in its place would be lost.
   */
  async make(folder: string): Promise<void> {
    try {
      await mkdir(folder, FOLDER_MODE);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return;
      if (errorCode(error) !== 'ENOENT' || dirname(folder) === this.#root) throw error;
      await this.make(dirname(folder));
      this.#forgetBelow(dirname(folder));
      await unless(['EEXIST'], mkdir(folder, FOLDER_MODE));
    }
    this.#durable.delete(folder);
  }

  /** Resolves once the entries of `folder`, and the way to it, are durable. */
  async settle(folder: string): Promise<void> {
    const unsettled: string[] = [];
    for (let at = folder; at !== this.#root && !this.#durable.has(at); at = dirname(at)) unsettled.push(at);
    await Promise.all([folder, ...unsettled.map((each) => dirname(each))].map((each) => this.#sync(each)));
    for (const each of unsettled) this.#remember(each);
  }

  /** Concurrent calls for one folder share an fsync that began after they asked. */
  #sync(folder: string): Promise<void> {
    const running = this.#running.get(folder);
    if (running === undefined) return this.#start(folder);
    running.next ??= running.current.then(
      () => this.#start(folder),
      () => this.#start(folder),
    );
    return running.next;
  }

  #start(folder: string): Promise<void> {
    const current = syncFolder(folder).finally(() => {
      if (this.#running.get(folder)?.current === current && this.#running.get(folder)?.next === undefined) {
        this.#running.delete(folder);
      }
    });
    this.#running.set(folder, { current });
    return current;
  }

  #remember(folder: string): void {
    if (this.#durable.size >= REMEMBERED_FOLDERS) this.#durable.clear();
    this.#durable.add(folder);
  }

  #forgetBelow(folder: string): void {
    for (const known of this.#durable) {
      if (known === folder || known.startsWith(`${folder}/`)) this.#durable.delete(known);
    }
  }
}

/** fsync(2) of a folder: the entries made in it before the call survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const opened = await OpenFile.open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}
