import type { Driver } from '../drivers/driver.ts';

/** What one Temporal namespace has stored in one window, or, under `blobs`, for ever. */
export interface Usage {
  /** `expires-20261224T000000Z-30d` or `blobs` */
  readonly window: string;
  /** empty for payloads stored through version 1 of the wire API, which knew no namespaces */
  readonly namespace: string;
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Counts everything that is stored, in constant memory, and yields the sum so far after each page: of lines for one window
 * and namespace the last one holds. @throws StorageError
 */
export async function* usage(driver: Driver, signal: AbortSignal): AsyncGenerator<Usage> {
  for (const root of ['blobs', '/blobs', 'expires-']) {
    for await (const entry of driver.listLevel(root, signal)) {
      if (entry.endsWith('/')) yield* usageBelow(driver, entry, signal);
    }
  }
}

/** Names of one namespace come one after another, but those of version 1 lie between them. */
async function* usageBelow(driver: Driver, folder: string, signal: AbortSignal): AsyncGenerator<Usage> {
  const window = folder.replaceAll('/', '');
  let versionOne: Usage = { window, namespace: '', objects: 0, bytes: 0 };
  let current: Usage | undefined;
  for await (const page of driver.list(folder, signal)) {
    for (const { name, size } of page) {
      const end = name.indexOf('/', folder.length);
      if (end < 0) {
        versionOne = plus(versionOne, size);
        continue;
      }
      const namespace = name.slice(folder.length, end);
      if (current !== undefined && current.namespace !== namespace) {
        yield current;
        current = undefined;
      }
      current = plus(current ?? { window, namespace, objects: 0, bytes: 0 }, size);
    }
    if (current !== undefined) yield current;
  }
  if (versionOne.objects > 0) yield versionOne;
}

function plus(sum: Usage, size: number): Usage {
  return { ...sum, objects: sum.objects + 1, bytes: sum.bytes + size };
}
