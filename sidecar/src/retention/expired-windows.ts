import type { Driver } from '../drivers/driver.ts';
import { type ExpiryWindow, parseWindowName } from '../keys/window.ts';

/** A window that has objects, and the folder they lie in. */
export interface StoredWindow {
  readonly window: ExpiryWindow;
  /** `expires-20261224T000000Z-30d/` */
  readonly folder: string;
}

/** The windows in storage, the earliest end first. What this service did not name is left alone. */
export async function storedWindows(driver: Driver, signal: AbortSignal): Promise<StoredWindow[]> {
  const found: StoredWindow[] = [];
  for await (const folder of driver.listFirstSegments('expires-', signal)) {
    const window = parseWindowName(folder.slice(0, -1));
    if (window !== undefined) found.push({ window, folder });
  }
  return found.sort((a, b) => a.window.end - b.window.end);
}
