import type { Driver, ListedObject, StorageError } from '../drivers/driver.ts';

export interface Removed {
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Deletes every object of a window, a page at a time, and yields what each page removed. Stopping half-way loses
 * nothing: the next call lists again.
 * @throws StorageError when some objects could not be deleted, after trying all the others
 */
export async function* deleteWindow(
  driver: Driver,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<Removed> {
  let firstFailure: StorageError | undefined;
  for await (const page of driver.list(folder, signal)) {
    const names = page.map(({ name }) => name);
    const { deleted, failed } = await driver.delete(names, signal);
    yield { objects: deleted.length, bytes: bytesOf(page, deleted) };
    firstFailure ??= failed[0]?.error;
  }
  if (firstFailure !== undefined) throw firstFailure;
  // A process that was killed may have left folders without files.
  await driver.removeFolder(folder, signal);
}

/** What the pages of a window hold, nothing deleted. */
export async function* countWindow(
  driver: Driver,
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<Removed> {
  for await (const page of driver.list(folder, signal)) {
    yield { objects: page.length, bytes: page.reduce((sum, { size }) => sum + size, 0) };
  }
}

function bytesOf(page: readonly ListedObject[], deleted: readonly string[]): number {
  const names = new Set(deleted);
  return page.reduce((sum, { name, size }) => (names.has(name) ? sum + size : sum), 0);
}
