import type { ListedObject } from '../drivers/driver.ts';
import { excerpt } from '../errors/excerpt.ts';
import { StorageError } from '../errors/storage-error.ts';
import { isPayloadOf } from '../keys/object-name.ts';

/**
 * A storage, or a cache before it, may list what it was not asked for, and others may put objects of their own into a window.
 * @param folder of a namespace in the window, ending in `/`
 * @throws StorageError with the first object of the page that is no payload of them
 */
export function assertPayloadsOf(window: string, folder: string, page: readonly ListedObject[]): void {
  const other = page.find(({ name }) => !name.startsWith(folder) || !isPayloadOf(window, name));
  if (other !== undefined) throw notOfWindow(window, other.name);
}

/** @param window `expires-20261224T000000Z-30d/` */
export function notOfWindow(window: string, name: string): StorageError {
  return new StorageError(
    'unavailable',
    `the storage lists ${excerpt(name)} in the window ${window.slice(0, -1)}, which is no payload of it; nothing of that page is deleted. If it lies there, move it away; else check what answers for the storage`,
  );
}
