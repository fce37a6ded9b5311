import type { Driver, ListedObject } from '../drivers/driver.ts';
import type { StorageError } from '../errors/storage-error.ts';
import { beyondLimits, PASS_LIMITS, type PassLimits } from './pass-limits.ts';
import { assertPayloadsOf } from './payloads-of-window.ts';

export interface Removed {
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Deletes every object of a window, a page at a time, and yields what each page removed. Stopping half-way loses
 * nothing: the next call lists again.
 * @throws StorageError when some objects could not be deleted, after trying all the others; before anything of a page is
 * deleted that has an object which is no payload of the window
 */
export async function* deleteWindow(
  driver: Driver,
  folder: string,
  signal: AbortSignal,
  limits: PassLimits = PASS_LIMITS,
): AsyncGenerator<Removed> {
  let firstFailure: StorageError | undefined;
  for await (const page of pagesOf(driver, folder, signal, limits)) {
    const names = page.map(({ name }) => name);
    const { deleted, failed } = await driver.delete(names, signal);
    yield { objects: deleted.length, bytes: bytesOf(page, deleted) };
    firstFailure ??= failed[0]?.error;
  }
  if (firstFailure !== undefined) throw firstFailure;
  // A process that was killed may have left folders without files.
  await driver.removeFolder(folder, signal);
}

/** What the pages of a window hold, nothing deleted. @throws StorageError where `deleteWindow` would */
export async function* countWindow(
  driver: Driver,
  folder: string,
  signal: AbortSignal,
  limits: PassLimits = PASS_LIMITS,
): AsyncGenerator<Removed> {
  for await (const page of pagesOf(driver, folder, signal, limits)) {
    yield { objects: page.length, bytes: page.reduce((sum, { size }) => sum + size, 0) };
  }
}

/** The pages of a window, as far as they hold its payloads and nothing else. */
async function* pagesOf(
  driver: Driver,
  folder: string,
  signal: AbortSignal,
  limits: PassLimits,
): AsyncGenerator<ListedObject[]> {
  const started = performance.now();
  let pages = 0;
  for await (const page of driver.list(folder, signal)) {
    if (pages === limits.pages || performance.now() - started > limits.windowTime) {
      throw beyondLimits(`the window ${folder.slice(0, -1)} has more objects`);
    }
    assertPayloadsOf(folder, page);
    yield page;
    pages += 1;
  }
}

function bytesOf(page: readonly ListedObject[], deleted: readonly string[]): number {
  const names = new Set(deleted);
  return page.reduce((sum, { name, size }) => (names.has(name) ? sum + size : sum), 0);
}
