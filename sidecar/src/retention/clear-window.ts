import type { Driver, ListedObject } from '../drivers/driver.ts';
import { excerpt } from '../errors/excerpt.ts';
import { StorageError } from '../errors/storage-error.ts';
import { NAMESPACE } from '../keys/key.ts';
import { isPayloadOf } from '../keys/object-name.ts';
import { beyondLimits, PASS_LIMITS, type PassLimits } from './pass-limits.ts';

export interface Removed {
  readonly objects: number;
  readonly bytes: number;
}

export interface ClearRules {
  /** only counts */
  readonly dryRun?: boolean;
  readonly limits?: PassLimits;
  readonly signal: AbortSignal;
}

/**
 * Deletes a window, one Temporal namespace after another: the payloads of a namespace in a window are kept or deleted together.
 * Yields what each page removed. When it is broken off, the next call goes on, as it lists again. A namespace that fails does
 * not keep the others. Of a page that lists anything else than payloads of the namespace nothing is deleted.
 * @param window `expires-20261224T000000Z-30d/`
 * @throws StorageError when some objects could not be deleted, after trying all the others
 */
export async function* clearWindow(
  driver: Driver,
  window: string,
  { dryRun = false, limits = PASS_LIMITS, signal }: ClearRules,
): AsyncGenerator<Removed> {
  const startedAtMs = performance.now();
  const failures: unknown[] = [];
  let pages = 0;
  const isSpent = () => pages >= limits.pages || performance.now() - startedAtMs > limits.windowTimeMs;
  const assertNotSpent = () => {
    if (isSpent()) throw beyondLimits(`the window ${window.slice(0, -1)} has more objects`);
  };
  const most = limits.namespaces;
  const { namespaces, hasMore } = await namespacesOf(driver, window, signal, most, assertNotSpent);
  for (const folder of inRandomTurn(namespaces)) {
    try {
      assertNotSpent();
      for await (const page of driver.list(folder, signal)) {
        assertNotSpent();
        assertPayloadsOf(window, folder, page);
        yield dryRun ? sumOf(page) : await deletePage(driver, page, failures, signal);
        pages += 1;
      }
      // A process that was killed may have left folders without files.
      if (!dryRun) await driver.removeFolder(folder, signal);
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
      if (isSpent()) break;
    }
  }
  if (hasMore) failures.push(beyondLimits(`the window ${window.slice(0, -1)} has more namespaces`));
  if (failures.length > 0) throw failures[0];
  if (!dryRun) await driver.removeFolder(window, signal);
}

/**
 * The folders of the namespaces that have something in a window, by one listing of its level.
 * @throws StorageError when an object lies in the window outside of all namespaces
 */
async function namespacesOf(
  driver: Driver,
  window: string,
  signal: AbortSignal,
  most: number,
  assertNotSpent: () => void,
): Promise<{ namespaces: readonly string[]; hasMore: boolean }> {
  const namespaces: string[] = [];
  for await (const entry of driver.listLevel(window, signal)) {
    assertNotSpent();
    const namespace = entry.slice(window.length, -1);
    if (entry !== `${window}${namespace}/` || !NAMESPACE.test(namespace)) {
      await assertEmptyFolder(driver, window, entry, signal);
    } else if (namespaces.push(entry) > most) {
      return { namespaces: namespaces.slice(0, most), hasMore: true };
    }
  }
  return { namespaces, hasMore: false };
}

/** The limits of a pass end at another namespace each time, so that one which cannot be deleted does not starve those after it. */
function inRandomTurn(namespaces: readonly string[]): readonly string[] {
  const first = Math.floor(Math.random() * namespaces.length);
  return [...namespaces.slice(first), ...namespaces.slice(0, first)];
}

/** A folder without objects is what a person, or a process that was killed, left behind. */
async function assertEmptyFolder(driver: Driver, window: string, entry: string, signal: AbortSignal) {
  if (!entry.startsWith(window) || !entry.endsWith('/')) throw notOfWindow(window, entry);
  for await (const [object] of driver.list(entry, signal)) {
    if (object !== undefined) throw notOfWindow(window, object.name);
  }
}

/** @param failures takes why an object could not be deleted */
async function deletePage(
  driver: Driver,
  page: readonly ListedObject[],
  failures: unknown[],
  signal: AbortSignal,
): Promise<Removed> {
  const names = page.map(({ name }) => name);
  const { deleted, failed } = await driver.delete(names, signal);
  if (failed[0] !== undefined) failures.push(failed[0].error);
  const gone = new Set(deleted);
  return sumOf(page.filter(({ name }) => gone.has(name)));
}

function sumOf(page: readonly ListedObject[]): Removed {
  return { objects: page.length, bytes: page.reduce((sum, { size }) => sum + size, 0) };
}

/**
 * A storage, or a cache before it, may list what it was not asked for, and others may put objects of their own into a window.
 * @param folder of a namespace in the window, ending in `/`
 * @throws StorageError with the first object of the page that is no payload of them
 */
function assertPayloadsOf(window: string, folder: string, page: readonly ListedObject[]): void {
  const other = page.find(({ name }) => !name.startsWith(folder) || !isPayloadOf(window, name));
  if (other !== undefined) throw notOfWindow(window, other.name);
}

/** @param window `expires-20261224T000000Z-30d/` */
function notOfWindow(window: string, name: string): StorageError {
  return new StorageError(
    'unavailable',
    `the storage lists ${excerpt(name)} in the window ${window.slice(0, -1)}, which is no payload of it; nothing of that page is deleted. If it lies there, move it away; else check what answers for the storage`,
  );
}
