import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { never, someBytes, TestStore } from '../../drivers/conformance/subject.ts';
import type { Driver } from '../../drivers/driver.ts';
import { StorageError } from '../../errors/storage-error.ts';
import { StorageInUseError } from '../../errors/storage-in-use-error.ts';
import { formatLease, type Lease, parseLease } from './lease.ts';
import type { LeaseTimes, LeaseUser } from './lease-decision.ts';
import { StorageLease, type StorageLeaseSettings } from './storage-lease.ts';

/** A hundred times as fast; a busy machine may be a second late. */
const TIMES: LeaseTimes = {
  lookEvery: 50,
  renewAfter: 30,
  holdsFor: 1_500,
  watchFor: 600,
  confirmAfter: 100,
};
const OURS: LeaseUser = {
  ...{ holder: 'uid-1', store: 'payments/orders', cluster: 'here', shared: false, mayWrite: true },
};
const SAME_NAME: LeaseUser = { ...OURS, holder: 'uid-2' };
const THEIRS: LeaseUser = { ...OURS, holder: 'uid-3', cluster: 'there' };
const REAPER: LeaseUser = { ...OURS, mayWrite: false };

/** A storage of its own, and who uses it. */
function bed() {
  const driver = new MemoryDriver(1024 * 1024);
  const store = new TestStore({ driver, stop: () => driver.close() });
  const log = pino({ level: 'silent' });
  const leaseOf = (
    user: LeaseUser,
    settings: Partial<StorageLeaseSettings> = {},
    driver: Driver = store.driver,
  ) =>
    new StorageLease(driver, user, log, {
      ...{ lifetime: 0, clockTolerance: 0, createsExactly: true, times: TIMES },
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

test.concurrent('the first one has it, and others of the same resource have it too', async () => {
  const at = bed();
  const first = await at.acquired(OURS);
  expect(await at.stored()).toMatchObject({ holder: 'uid-1', cluster: 'here', released: false });
  await at.acquired(OURS);
  await at.acquired(REAPER);
  await first.assertHeld();
  await first.assertMayDelete(never());
});

test.concurrent('another cluster is refused as long as it is renewed, and told by whom', async () => {
  const at = bed();
  await at.living(OURS);
  const theirs = at.leaseOf(THEIRS);
  const begun = performance.now();
  while (performance.now() - begun < 1.2 * TIMES.holdsFor) {
    const refusal = await at.acquire(theirs).catch((error) => error);
    expect(refusal).toBeInstanceOf(StorageInUseError);
    expect(refusal.retryAfter).toBeUndefined();
    expect(refusal.message).toMatch(
      /^the storage is in use by payments\/orders of the cluster here \(uid-1\) since 20.*Z; nothing is stored or deleted here\. If that one has gone, .* give each .* or, to share it on purpose, say storage.shared: true in both$/,
    );
    await sleep(20);
  }
  expect(await at.stored()).toMatchObject({ holder: 'uid-1' });
});

test.concurrent('what was not renewed for long is taken over, and who had it stops', async () => {
  const at = bed();
  const first = await at.acquired(OURS);
  const theirs = at.leaseOf(THEIRS);
  await expect(at.acquire(theirs)).rejects.toThrow('in use by');
  const warn = vi.spyOn(at.log, 'warn');
  await at.untilAcquired(theirs);
  expect(warn).toHaveBeenCalledWith(
    { from: 'payments/orders of the cluster here (uid-1)' },
    expect.stringContaining('has taken it over'),
  );
  expect(theirs.found?.takenFrom).toEqual({ holder: 'uid-1', store: 'payments/orders', cluster: 'here' });
  await expect(first.assertHeld()).rejects.toThrow('in use by payments/orders of the cluster there (uid-3)');
  await expect(first.assertMayDelete(never())).rejects.toThrow('in use by');
  await first.release();
  expect(await at.stored()).toMatchObject({ holder: 'uid-3', released: false });
});

test.concurrent('a resource that is made again waits for the pods of the one before, and not for long once they gave it back', async () => {
  const at = bed();
  const { lease, end } = await at.living(OURS);
  const again = at.leaseOf(SAME_NAME);
  const waiting = await at.acquire(again).catch((error) => error);
  expect(waiting.message).toMatch(
    /^waits for the storage for at most \d+ s: it was used by payments\/orders of the cluster here \(uid-1\), which may be ending$/,
  );
  expect(waiting.retryAfter).toBeGreaterThan(0);
  await end();
  await lease.release();
  expect(await at.stored()).toMatchObject({ holder: 'uid-1', released: true });
  const released = performance.now();
  await expect(at.acquire(again)).rejects.toThrow('which has ended');
  await at.untilAcquired(again);
  expect(performance.now() - released).toBeGreaterThan(TIMES.watchFor - 50);
  expect(again.found).toMatchObject({ holder: 'uid-2', takenFrom: { holder: 'uid-1' } });
});

test.concurrent('a lease that one process gave back is renewed by another one of the resource', async () => {
  const at = bed();
  const { lease, end } = await at.living(OURS);
  await at.living(OURS);
  await end();
  await lease.release();
  await eventually('it is renewed', async () => (await at.stored())?.released === false);
  await expect(at.acquire(at.leaseOf(THEIRS))).rejects.toThrow('in use by');
});

test.concurrent('of two that take over at the same moment one has it in the end, and neither deletes meanwhile', async () => {
  const at = bed();
  await at.write(formatLease({ ...((await at.acquired(OURS)).found as Lease), renewed: 0 }));
  const both = [at.leaseOf(THEIRS), at.leaseOf({ ...THEIRS, holder: 'uid-4' })];
  await Promise.allSettled(both.map(at.acquire));
  await sleep(TIMES.watchFor + 50);
  await Promise.allSettled(both.map(at.acquire));
  const outcomes = await Promise.allSettled(both.map((lease) => lease.assertMayDelete(never())));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test.concurrent('a reaper of another resource deletes nothing, be the lease fresh or over', async () => {
  const at = bed();
  await at.acquired(OURS);
  const reaper = at.leaseOf({ ...THEIRS, mayWrite: false });
  await expect(at.acquire(reaper)).rejects.toThrow('in use by');
  await eventually('it is over', async () =>
    at.acquire(reaper).catch(({ message }) => message.startsWith('waits until a gateway of the store takes')),
  );
  await sleep(TIMES.watchFor);
  await expect(at.acquire(reaper)).rejects.toThrow('waits until a gateway');
  expect(await at.stored()).toMatchObject({ holder: 'uid-1' });
  await at.untilAcquired(at.leaseOf(THEIRS));
  await at.acquire(reaper);
  await reaper.assertMayDelete(never());
});

test.concurrent('a reaper goes on by its own lease whatever its age, and without any after a while', async () => {
  const at = bed();
  const reaper = at.leaseOf(REAPER);
  await expect(at.acquire(reaper)).rejects.toThrow('has no lease.json yet');
  await at.untilAcquired(reaper);
  await reaper.assertMayDelete(never());
  expect(await at.store.get('lease.json')).toBeUndefined();
  await at.write(formatLease({ ...((await at.acquired(OURS)).found as Lease), renewed: 0, released: true }));
  await at.acquire(at.leaseOf(REAPER));
});

test.concurrent.each([
  ['no JSON', Buffer.from('{')],
  ['5,000 bytes', someBytes(5_000)],
  ['a holder that is a number', Buffer.from('{"holder":5}')],
])('%s locks nobody out for ever', async (_title, bytes) => {
  const at = bed();
  await at.store.put('lease.json', bytes);
  const ours = at.leaseOf(OURS);
  await expect(at.acquire(ours)).rejects.toThrow('lease.json cannot be read, and counts as over');
  await at.untilAcquired(ours);
  expect(await at.stored()).toMatchObject({ holder: 'uid-1', takenFrom: { holder: 'unknown' } });
});

test.concurrent('nor does a time in the future', async () => {
  const at = bed();
  const { found } = await at.acquired(THEIRS);
  await at.write(formatLease({ ...(found as Lease), renewed: Date.now() + 1e9 }));
  const ours = at.leaseOf(OURS);
  await expect(at.acquire(ours)).rejects.toThrow('in use by');
  await at.untilAcquired(ours);
});

test.concurrent('those that share use it beside each other, and a third one does not', async () => {
  const at = bed();
  const first = await at.acquired({ ...OURS, shared: true });
  const second = await at.acquired({ ...THEIRS, shared: true });
  for (const lease of [first, second, first]) {
    await lease.assertMayDelete(never());
    await lease.acquire(at.store.driver, never());
  }
  await expect(at.acquired({ ...THEIRS, holder: 'uid-4' })).rejects.toThrow(
    'to share it on purpose, say storage.shared: true here too',
  );
  await second.assertHeld();
});

test.concurrent('a resource that begins to share says so, and one that does already waits for that', async () => {
  const at = bed();
  await at.acquired(OURS);
  await expect(at.acquired({ ...THEIRS, shared: true })).rejects.toThrow(
    'say storage.shared: true there too',
  );
  await at.acquired({ ...OURS, shared: true });
  await at.acquired({ ...THEIRS, shared: true });
});

test.concurrent('nothing is deleted before it was there still a while after it was written, where a create may be no proof', async () => {
  const at = bed();
  const ours = await at.acquired(OURS, { createsExactly: false });
  const begun = performance.now();
  await ours.assertMayDelete(never());
  expect(performance.now() - begun).toBeGreaterThan(TIMES.confirmAfter - 20);
  const lost = await at.acquired({ ...OURS, shared: true }, { createsExactly: false });
  await at.write(formatLease({ ...(ours.found as Lease), ...THEIRS }));
  await expect(lost.assertMayDelete(never())).rejects.toThrow('in use by');
});

test.concurrent('a lease that has gone stays ours, and is written again', async () => {
  const at = bed();
  const { lease } = await at.living(OURS);
  await at.store.driver.delete(['lease.json'], never());
  await lease.assertHeld();
  await eventually('it is there again', async () => (await at.stored())?.holder === 'uid-1');
});

test.concurrent('a full storage is used as it is: by whose lease it is, and by whom it would be', async () => {
  const at = bed();
  const { driver } = at.failing('full');
  const first = at.leaseOf(OURS, {}, driver);
  await first.acquire(driver, never());
  await first.assertMayDelete(never());
  await at.write(formatLease({ ...((await at.acquired(OURS)).found as Lease), released: true }));
  const again = at.leaseOf(SAME_NAME, {}, driver);
  await eventually('it is free', () =>
    again.acquire(driver, never()).then(
      () => true,
      () => false,
    ),
  );
  await again.assertMayDelete(never());
});

test.concurrent('what cannot be renewed is told once, and stays ours as long as it is read as ours', async () => {
  const at = bed();
  await at.acquired(OURS);
  const { driver } = at.failing('denied');
  const lease = at.leaseOf(OURS, {}, driver);
  await lease.acquire(driver, never());
  const warn = vi.spyOn(at.log, 'warn');
  const stop = new AbortController();
  const running = lease.run(stop.signal);
  await eventually('it is told', () => warn.mock.calls.length > 0);
  await sleep(3 * TIMES.lookEvery);
  expect(warn.mock.calls).toEqual([
    [{ reason: 'no: denied' }, expect.stringContaining('cannot be renewed; it is tried again')],
  ]);
  await lease.assertHeld();
  stop.abort();
  await running;
  await at.untilAcquired(at.leaseOf(THEIRS));
  await expect(lease.assertHeld()).rejects.toThrow('in use by');
});

/** The methods of a driver, which use its own private fields. */
function bound(driver: Driver): Partial<Driver> {
  return {
    open: driver.open.bind(driver),
    delete: driver.delete.bind(driver),
  };
}
