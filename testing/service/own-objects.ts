import { formatClockRecord } from '@largepayload/sidecar/storage-records/clock/clock-record';
import { formatLease } from '@largepayload/sidecar/storage-records/lease/lease';

/** The text of a `lease.json` that was renewed just now, outside of a cluster. @param store `NAMESPACE/NAME` */
export function leaseOf(store: string): string {
  const now = Date.now();
  const flags = { confirmed: true, released: false, shared: false };
  return formatLease({ holder: store, store, since: now, renewed: now, ...flags });
}

/** The text of a `clock.json` that agrees with this machine's clock. */
export function clockOfNow(): string {
  const now = Date.now();
  return formatClockRecord({ mark: now, seen: now, lags: [], agreedFor: 0, acceptances: 0, longestTtl: 0 });
}
