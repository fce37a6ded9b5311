import type { Driver, ListedObject } from '../drivers/driver.ts';
import type { StorageError } from '../errors/storage-error.ts';
import { beyondLimits, PASS_LIMITS, type PassLimits, WindowBudget } from './pass-limits.ts';
import { assertPayloadsOf, type StoredNamespace } from './payloads-of-window.ts';
import { storedNamespaces } from './stored-namespaces.ts';

export interface Removed {
  readonly objects: number;
  readonly bytes: number;
}

/** The pages of one namespace, as far as they hold its payloads and nothing else. */
type Pages = AsyncGenerator<ListedObject[]>;

/**
 * Deletes a window, one namespace after another, a page at a time, and yields what each page removed. When it is broken off,
 * the next call goes on, as it lists again. Of a page that lists anything else than payloads of the namespace nothing is
 * deleted.
 * @param window `expires-20261224T000000Z-30d/`
 * @throws StorageError when some objects could not be deleted, after trying all the others
 */
export async function* deleteWindow(
  driver: Driver,
  window: string,
  signal: AbortSignal,
  limits: PassLimits = PASS_LIMITS,
): AsyncGenerator<Removed> {
  yield* eachNamespace(driver, window, signal, limits, async function* (pages, { folder }) {
    yield* deletePages(driver, pages, signal);
    // A process that was killed may have left folders without files.
    await driver.removeFolder(folder, signal);
  });
  await driver.removeFolder(window, signal);
}

/** What the pages of a window hold, nothing deleted. @throws StorageError where `deleteWindow` would */
export async function* countWindow(
  driver: Driver,
  window: string,
  signal: AbortSignal,
  limits: PassLimits = PASS_LIMITS,
): AsyncGenerator<Removed> {
  yield* eachNamespace(driver, window, signal, limits, async function* (pages) {
    for await (const page of pages) yield { objects: page.length, bytes: bytesOf(page) };
  });
}

/** A namespace that fails does not keep the others. */
async function* eachNamespace(
  driver: Driver,
  window: string,
  signal: AbortSignal,
  limits: PassLimits,
  work: (pages: Pages, namespace: StoredNamespace) => AsyncGenerator<Removed>,
): AsyncGenerator<Removed> {
  const budget = new WindowBudget(window, limits);
  const failures: unknown[] = [];
  const { namespaces, hasMore } = await storedNamespaces(driver, window, signal, budget);
  for (const namespace of namespaces) {
    try {
      budget.assertLeft();
      yield* work(pagesOf(driver, namespace, signal, budget), namespace);
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
      if (budget.isSpent) break;
    }
  }
  if (failures.length > 0) throw failures[0];
  if (hasMore) throw beyondLimits(`the window ${window.slice(0, -1)} has more namespaces`);
}

async function* pagesOf(
  driver: Driver,
  namespace: StoredNamespace,
  signal: AbortSignal,
  budget: WindowBudget,
): Pages {
  for await (const page of driver.list(namespace.folder, signal)) {
    budget.assertLeft();
    assertPayloadsOf(namespace, page);
    yield page;
    budget.countPage();
  }
}

async function* deletePages(driver: Driver, pages: Pages, signal: AbortSignal): AsyncGenerator<Removed> {
  let firstFailure: StorageError | undefined;
  for await (const page of pages) {
    const names = page.map(({ name }) => name);
    const { deleted, failed } = await driver.delete(names, signal);
    const gone = new Set(deleted);
    yield { objects: deleted.length, bytes: bytesOf(page.filter(({ name }) => gone.has(name))) };
    firstFailure ??= failed[0]?.error;
  }
  if (firstFailure !== undefined) throw firstFailure;
}

function bytesOf(page: readonly ListedObject[]): number {
  return page.reduce((sum, { size }) => sum + size, 0);
}
