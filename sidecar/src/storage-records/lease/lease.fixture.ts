import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import { vi } from 'vitest';
import { never, TestStore } from '../../drivers/conformance/subject.ts';
import type { Driver } from '../../drivers/driver.ts';
import { StorageError } from '../../errors/storage-error.ts';
import { parseLease } from './lease.ts';
import type { LeaseTimes, LeaseUser } from './lease-decision.ts';
import { StorageLease, type StorageLeaseSettings } from './storage-lease.ts';

/** A hundred times as fast; a busy machine may be a second late. */
export const FAST_TIMES: LeaseTimes = {
  lookEveryMs: 50,
  renewAfterMs: 30,
  holdsForMs: 1_500,
  watchForMs: 600,
  confirmAfterMs: 100,
};
export const OURS: LeaseUser = {
  ...{ holder: 'uid-1', store: 'payments/orders', cluster: 'here', shared: false, mayWrite: true },
};
export const SAME_NAME: LeaseUser = { ...OURS, holder: 'uid-2' };
export const THEIRS: LeaseUser = { ...OURS, holder: 'uid-3', cluster: 'there' };
export const REAPER: LeaseUser = { ...OURS, mayWrite: false };

/** A storage of its own, and the leases of its users. */
export function leasedStorage() {
  const driver = new MemoryDriver(1024 * 1024);
  const store = new TestStore({ driver, stop: () => driver.close() });
  const log = pino({ level: 'silent' });
  const leaseOf = (
    user: LeaseUser,
    settings: Partial<StorageLeaseSettings> = {},
    driver: Driver = store.driver,
  ) =>
    new StorageLease(driver, user, log, {
      ...{ lifetimeMs: 0, clockToleranceMs: 0, createsExactly: true, times: FAST_TIMES },
      ...settings,
    });
  const acquired = async (user: LeaseUser, settings: Partial<StorageLeaseSettings> = {}) => {
    const lease = leaseOf(user, settings);
    await lease.acquire(store.driver, never());
    return lease;
  };
  /** Renews it until it is stopped. */
  const living = async (user: LeaseUser) => {
    const lease = await acquired(user);
    const stop = new AbortController();
    const running = lease.run(stop.signal);
    const end = async () => {
      stop.abort();
      await running;
    };
    return { lease, end };
  };
  const acquire = (lease: StorageLease) => lease.acquire(store.driver, never());
  const untilAcquired = (lease: StorageLease) =>
    eventually('it is acquired', () =>
      acquire(lease).then(
        () => true,
        () => false,
      ),
    );
  const stored = async () => {
    const found = parseLease((await store.get('lease.json'))?.toString() ?? '');
    return found === 'unreadable' ? undefined : found;
  };
  const write = (text: string) => store.put('lease.json', Buffer.from(text), { replace: true });
  const failing = (failure: 'full' | 'denied') => {
    const begin = vi.fn(async () => {
      throw new StorageError(failure, `no: ${failure}`);
    });
    return {
      driver: Object.assign(Object.create(store.driver), bound(store.driver), { begin }) as Driver,
      begin,
    };
  };
  return { store, log, leaseOf, acquired, living, acquire, untilAcquired, stored, write, failing };
}

/** The methods of a driver, which use its own private fields. */
function bound(driver: Driver): Partial<Driver> {
  return {
    open: driver.open.bind(driver),
    delete: driver.delete.bind(driver),
  };
}
