import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, unless } from './failures.ts';
import { entriesOf } from './list-files.ts';

/** Removes the folder (absolute, ending in `/`) and those in it, as far as there are no files below them. */
export async function removeEmptyFolders(folder: string, signal: AbortSignal): Promise<void> {
  for await (const entries of entriesOf(folder, signal)) {
    const inside = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${folder}${name}/`);
    const removed = await Promise.all(inside.map(removeIfEmpty));
    // One after another: each level holds one folder open, however wide the tree is.
    for (const [index, path] of inside.entries()) {
      if (removed[index] === false) await removeEmptyFolders(path, signal);
    }
  }
  await removeIfEmpty(folder);
}

/** `false` when the folder is not empty: a put may just have made something in it. */
async function removeIfEmpty(folder: string): Promise<boolean> {
  const removed = rmdir(folder).then(() => true);
  return (await unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], removed)) ?? false;
}

/** Removes the folder of a file that could not be stored, and those above it, while they are empty. */
export async function removeEmptyFoldersUpwards(folder: string, root: string): Promise<void> {
  for (let at = folder; at !== root; at = dirname(at)) {
    const goOn = await rmdir(at).then(
      () => true,
      (error) => errorCode(error) === 'ENOENT',
    );
    if (!goOn) return;
  }
}
