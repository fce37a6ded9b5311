import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { excerpt } from '../../errors/excerpt.ts';
import { StorageError } from '../../errors/storage-error.ts';
import { type ListedObject, LONGEST_NAME, PAGE_SIZE } from '../driver.ts';
import { unless } from './failures.ts';
import { objectNameOfFile } from './object-paths.ts';

/** Entries of one folder that are looked into at the same time. */
const ENTRIES_AT_ONCE = 16;
/** A folder of at most so many files is read at once. Key prefixes make many such folders, above all those of workflows. */
const SMALL_FOLDER = 32;

/** All files below `folder` (absolute, ending in `/`) in pages, named by `prefix` and their path below it, in constant memory. */
export async function* listFiles(
  folder: string,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListedObject[]> {
  let page: ListedObject[] = [];
  for await (const files of filesBelow(folder, prefix, signal)) {
    page.push(...files);
    if (page.length < PAGE_SIZE) continue;
    yield page.slice(0, PAGE_SIZE);
    page = page.slice(PAGE_SIZE);
  }
  if (page.length > 0) yield page;
}

/** The folders and files directly in `folder`, named by `prefix` and their own name; folders end in `/`. */
export async function* listLevel(
  folder: string,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for await (const entries of entriesOf(folder, signal)) {
    for (const entry of entries) {
      if (entry.isDirectory()) yield `${prefix}${entry.name}/`;
      else if (entry.isFile()) yield prefix + objectNameOfFile(entry.name);
    }
  }
}

/**
 * Depth first, so that the files of one folder come one after another. Holds one open folder a level.
 * @throws StorageError for folders that are deeper than a name can be
 */
async function* filesBelow(
  folder: string,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListedObject[]> {
  assertNotTooDeep(prefix);
  for await (const entries of entriesOf(folder, signal)) {
    const looks = await Promise.all(entries.map((entry) => look(entry, folder, prefix)));
    for (const [index, files] of looks.entries()) {
      const name = entries[index]?.name;
      if (files !== 'large') yield files;
      else yield* filesBelow(`${folder}${name}/`, `${prefix}${name}/`, signal);
    }
  }
}

/** Each level costs an open folder. */
function assertNotTooDeep(folder: string): void {
  if (Buffer.byteLength(folder) <= LONGEST_NAME) return;
  throw new StorageError(
    'unavailable',
    `the data folder has folders that are deeper than any payload lies: ${excerpt(folder)}; move them away`,
  );
}

/** A file, or the files of a small folder that has no folders in it; `large` for any other folder. */
async function look(entry: Dirent, folder: string, prefix: string): Promise<ListedObject[] | 'large'> {
  if (entry.isFile()) return measure([entry.name], folder, prefix);
  if (!entry.isDirectory()) return [];
  const names = await namesOfSmallFolder(join(folder, entry.name));
  return names === 'large' ? names : measure(names, `${folder}${entry.name}/`, `${prefix}${entry.name}/`);
}

async function namesOfSmallFolder(folder: string): Promise<string[] | 'large'> {
  const handle = await unless(['ENOENT'], opendir(folder, { bufferSize: SMALL_FOLDER + 1 }));
  if (handle === undefined) return [];
  const names: string[] = [];
  for await (const entry of handle) {
    if (entry.isDirectory() || names.length === SMALL_FOLDER) return 'large';
    if (entry.isFile()) names.push(entry.name);
  }
  return names;
}

async function measure(names: readonly string[], folder: string, prefix: string): Promise<ListedObject[]> {
  const measured = await Promise.all(
    names.map(async (name) => {
      const status = await unless(['ENOENT'], lstat(folder + name));
      return status === undefined ? [] : [{ name: prefix + objectNameOfFile(name), size: status.size }];
    }),
  );
  return measured.flat();
}

/** The entries of one folder in groups, none when it is not there. */
export async function* entriesOf(folder: string, signal: AbortSignal): AsyncGenerator<Dirent[]> {
  const handle = await unless(['ENOENT'], opendir(folder, { bufferSize: ENTRIES_AT_ONCE }));
  if (handle === undefined) return;
  let group: Dirent[] = [];
  for await (const entry of handle) {
    signal.throwIfAborted();
    group.push(entry);
    if (group.length < ENTRIES_AT_ONCE) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
