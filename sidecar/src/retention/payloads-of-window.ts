import type { ListedObject } from '../drivers/driver.ts';
import { excerpt } from '../errors/excerpt.ts';
import { StorageError } from '../errors/storage-error.ts';
import { isPayloadOf } from '../keys/object-name.ts';

/**
 * A storage, or a cache before it, may list what it was not asked for, and others may put into a window what is theirs.
 * @throws StorageError with the first object of the page that is no payload of the window
 */
export function assertPayloadsOf(folder: string, page: readonly ListedObject[]): void {
  const other = page.find(({ name }) => !isPayloadOf(folder, name));
  if (other === undefined) return;
  throw new StorageError(
    'unavailable',
    `the storage lists ${excerpt(other.name)} in the window ${folder.slice(0, -1)}, which is no payload of it; nothing of that page is deleted. If it lies there, move it away; else check what answers for the storage`,
  );
}
