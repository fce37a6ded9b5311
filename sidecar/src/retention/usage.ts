import type { Driver } from '../drivers/driver.ts';

/** What one Temporal namespace has stored in one window, or, under `blobs`, for ever. */
export interface Usage {
  /** `expires-20261224T000000Z-30d` or `blobs` */
  readonly window: string;
  readonly namespace: string;
  readonly objects: number;
  readonly bytes: number;
}

/** Counts everything that is stored, in constant memory: names of one namespace follow each other. @throws StorageError */
export async function* usage(driver: Driver, signal: AbortSignal): AsyncGenerator<Usage> {
  for (const root of ['blobs', '/blobs', 'expires-']) {
    for await (const folder of driver.listFirstSegments(root, signal)) {
      yield* usageBelow(driver, folder, signal);
    }
  }
}

async function* usageBelow(driver: Driver, folder: string, signal: AbortSignal): AsyncGenerator<Usage> {
  const window = folder.replaceAll('/', '');
  let current: Usage | undefined;
  for await (const page of driver.list(folder, signal)) {
    for (const { name, size } of page) {
      const namespace = name.slice(folder.length).split('/', 1)[0] ?? '';
      if (current?.namespace !== namespace) {
        if (current !== undefined) yield current;
        current = { window, namespace, objects: 0, bytes: 0 };
      }
      current = { ...current, objects: current.objects + 1, bytes: current.bytes + size };
    }
  }
  if (current !== undefined) yield current;
}
