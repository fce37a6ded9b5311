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

/** Counts everything that is stored, window by window; held are the sums of one window's namespaces. @throws StorageError */
export async function* usage(driver: Driver, signal: AbortSignal): AsyncGenerator<Usage> {
  for (const root of ['blobs', '/blobs', 'expires-']) {
    for await (const folder of driver.listFirstSegments(root, signal)) {
      yield* usageBelow(driver, folder, signal);
    }
  }
}

async function* usageBelow(driver: Driver, folder: string, signal: AbortSignal): AsyncGenerator<Usage> {
  const window = folder.replaceAll('/', '');
  const sums = new Map<string, { objects: number; bytes: number }>();
  for await (const page of driver.list(folder, signal)) {
    for (const { name, size } of page) {
      const end = name.indexOf('/', folder.length);
      const namespace = end < 0 ? '' : name.slice(folder.length, end);
      const { objects, bytes } = sums.get(namespace) ?? { objects: 0, bytes: 0 };
      sums.set(namespace, { objects: objects + 1, bytes: bytes + size });
    }
  }
  for (const [namespace, sum] of sums) yield { window, namespace, ...sum };
}
