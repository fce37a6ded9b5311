import type { Driver } from '../drivers/driver.ts';
import { NAMESPACE } from '../keys/key.ts';
import type { WindowBudget } from './pass-limits.ts';
import { notOfWindow, type StoredNamespace } from './payloads-of-window.ts';

export interface StoredNamespaces {
  readonly namespaces: readonly StoredNamespace[];
  /** whether there are more, which a pass does not take */
  readonly hasMore: boolean;
}

/**
 * The Temporal namespaces that have something in a window, by one listing of its level.
 * @throws StorageError when an object lies in the window outside of all namespaces
 */
export async function storedNamespaces(
  driver: Driver,
  window: string,
  signal: AbortSignal,
  budget: WindowBudget,
): Promise<StoredNamespaces> {
  const namespaces: StoredNamespace[] = [];
  for await (const entry of driver.listLevel(window, signal)) {
    budget.assertLeft();
    const namespace = entry.slice(window.length, -1);
    if (entry !== `${window}${namespace}/` || !NAMESPACE.test(namespace)) {
      await assertEmptyFolder(driver, window, entry, signal);
    } else if (namespaces.length === budget.limits.namespaces) {
      return { namespaces, hasMore: true };
    } else {
      namespaces.push({ window, folder: entry });
    }
  }
  return { namespaces, hasMore: false };
}

/** A folder without objects is what a person, or a process that was killed, left behind. */
async function assertEmptyFolder(
  driver: Driver,
  window: string,
  entry: string,
  signal: AbortSignal,
): Promise<void> {
  if (!entry.startsWith(window) || !entry.endsWith('/')) throw notOfWindow(window, entry);
  for await (const [object] of driver.list(entry, signal)) {
    if (object !== undefined) throw notOfWindow(window, object.name);
  }
}
