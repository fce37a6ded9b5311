import { link, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BlobFacts } from '../../bytes/blob-facts.ts';
import {
  checkedWriter,
  keepExisting,
  type ObjectWriter,
  type PutOutcome,
} from '../../bytes/object-writer.ts';
import { verify } from '../../bytes/verified-body.ts';
import { IntegrityError } from '../../errors/integrity-error.ts';
import type { PutOptions, StoredBlob } from '../driver.ts';
import { DirectorySync } from './directory-sync.ts';
import { removeEmptyFoldersUpwards } from './empty-folders.ts';
import { errorCode } from './failures.ts';
import { openFile } from './file-blob.ts';
import { FileWriter } from './file-writer.ts';
import type { TemporaryFile, TemporaryFiles } from './temporary-files.ts';

export { STORING } from './file-writer.ts';

/** How often a folder may be removed, as empty, between its making and the link into it. */
const LINK_ATTEMPTS = 4;

/** The puts of a data folder: what happens to the file that is there, and how a new one gets its name. */
export class FilePuts {
  readonly #root: string;
  readonly #folders: DirectorySync;
  readonly #temporary: TemporaryFiles;

  constructor(root: string, temporary: TemporaryFiles) {
    this.#root = root;
    this.#folders = new DirectorySync(root);
    this.#temporary = temporary;
  }

  async begin(path: string, facts: BlobFacts, options: PutOptions): Promise<ObjectWriter> {
    const decision = await decide(path, facts, options);
    options.signal.throwIfAborted();
    const steps =
      decision === 'keep'
        ? keepExisting(() => this.#folders.settle(dirname(path)))
        : await this.#write(path, facts, options);
    return checkedWriter(steps, facts, options.signal);
  }

  async #write(path: string, facts: BlobFacts, options: PutOptions): Promise<FileWriter> {
    const publish = async (file: TemporaryFile) => {
      options.signal.throwIfAborted();
      const outcome = await this.#publish(file.path, path, facts, options);
      await Promise.all([this.#folders.settle(dirname(path)), file.discard()]);
      return outcome;
    };
    return new FileWriter(await this.#temporary.create(), publish);
  }

  /** @returns whether the file got the name, or another one of the same content has it */
  async #publish(
    temporaryPath: string,
    path: string,
    facts: BlobFacts,
    options: PutOptions,
  ): Promise<PutOutcome> {
    const isLinked = await this.#link(temporaryPath, path).catch(async (error) => {
      await removeEmptyFoldersUpwards(dirname(path), this.#root);
      throw error;
    });
    if (isLinked) return 'created';
    if ((await decide(path, facts, options)) === 'keep') return 'existed';
    await rename(temporaryPath, path);
    return 'created';
  }

  /** `false` when the name is taken. The folder may be missing, or be removed while it is empty, so it is made on demand. */
  async #link(temporaryPath: string, path: string): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await link(temporaryPath, path);
        return true;
      } catch (error) {
        if (errorCode(error) === 'EEXIST') return false;
        if (errorCode(error) !== 'ENOENT' || attempt === LINK_ATTEMPTS) throw error;
        await this.#folders.make(dirname(path));
      }
    }
  }
}

/** What a put does about the file at its path: a hit is acknowledged only when the bytes on the disk are the promised ones. */
async function decide(
  path: string,
  facts: BlobFacts,
  options: PutOptions,
): Promise<'create' | 'keep' | 'replace'> {
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
