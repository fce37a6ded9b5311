import type { Driver } from '../drivers/driver.ts';
import { type ExpiryWindow, parseWindowName } from '../keys/window.ts';
import { PASS_LIMITS, type PassLimits } from './pass-limits.ts';

export interface StoredWindows {
  /** the earliest end first */
  readonly windows: readonly ExpiryWindow[];
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
  const found: ExpiryWindow[] = [];
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
    found.push(window);
    if (found.length > 2 * limits.windows) keepEarliest(found, limits.windows);
  }
  keepEarliest(found, limits.windows);
  return { windows: found, hasLater: count > found.length, cutOff };
}

function keepEarliest(windows: ExpiryWindow[], count: number): void {
  windows.sort((a, b) => a.end - b.end).splice(count);
}
