import type { Driver } from '../drivers/driver.ts';
import { type ExpiryWindow, parseWindowName } from '../keys/window.ts';
import { PASS_LIMITS, type PassLimits } from './pass-limits.ts';

/** A window that has objects, and the folder they lie in. */
export interface StoredWindow {
  readonly window: ExpiryWindow;
  /** `expires-20261224T000000Z-30d/` */
  readonly folder: string;
}

export interface StoredWindows {
  /** the earliest end first */
  readonly windows: readonly StoredWindow[];
  /** whether there are more windows, all of which end later than these */
  readonly hasLater: boolean;
  /** whether there may be others that were not looked at */
  readonly cutOff: boolean;
}

/** The windows in storage that end first. What this service did not name is left alone. */
export async function storedWindows(
  driver: Driver,
  signal: AbortSignal,
  limits: PassLimits = PASS_LIMITS,
): Promise<StoredWindows> {
  const started = performance.now();
  const found: StoredWindow[] = [];
  let folders = 0;
  let count = 0;
  let cutOff = false;
  for await (const folder of driver.listLevel('expires-', signal)) {
    folders += 1;
    cutOff = folders > limits.folders || performance.now() - started > limits.listingTimeMs;
    if (cutOff) break;
    const window = folder.endsWith('/') ? parseWindowName(folder.slice(0, -1)) : undefined;
    if (window === undefined) continue;
    count += 1;
    found.push({ window, folder });
    if (found.length > 2 * limits.windows) keepEarliest(found, limits.windows);
  }
  keepEarliest(found, limits.windows);
  return { windows: found, hasLater: count > found.length, cutOff };
}

function keepEarliest(windows: StoredWindow[], count: number): void {
  windows.sort((a, b) => a.window.end - b.window.end).splice(count);
}
