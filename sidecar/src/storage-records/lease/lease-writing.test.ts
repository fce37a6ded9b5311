import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test, vi } from 'vitest';
import { never } from '../../drivers/conformance/subject.ts';
import { FAST_TIMES, leasedStorage, OURS, SAME_NAME, THEIRS } from './lease.fixture.ts';
import { formatLease, type Lease } from './lease.ts';

test.concurrent('nothing is deleted before it was there still a while after it was written, where a create may be no proof', async () => {
  const at = leasedStorage();
  const begun = performance.now();
  const ours = await at.acquired(OURS, { createsExactly: false });
  await ours.assertMayDelete(never());
  expect(performance.now() - begun).toBeGreaterThan(FAST_TIMES.confirmAfterMs - 20);
  const lost = await at.acquired({ ...OURS, shared: true }, { createsExactly: false });
  await at.write(formatLease({ ...(ours.found as Lease), ...THEIRS }));
  await expect(lost.assertMayDelete(never())).rejects.toThrow('in use by');
});

test.concurrent('a lease that has gone stays ours, and is written again', async () => {
  const at = leasedStorage();
  const { lease } = await at.living(OURS);
  await at.store.driver.delete(['lease.json'], never());
  await lease.assertHeld();
  await eventually('it is there again', async () => (await at.stored())?.holder === 'uid-1');
});

test.concurrent('a full storage is used as it is: by whose lease it is, and by whom it would be', async () => {
  const at = leasedStorage();
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
  const at = leasedStorage();
  await at.acquired(OURS);
  const { driver } = at.failing('denied');
  const lease = at.leaseOf(OURS, {}, driver);
  await lease.acquire(driver, never());
  const warn = vi.spyOn(at.log, 'warn');
  const stop = new AbortController();
  const running = lease.run(stop.signal);
  await eventually('it is told', () => warn.mock.calls.length > 0);
  await sleep(3 * FAST_TIMES.lookEveryMs);
  expect(warn.mock.calls).toEqual([
    [{ reason: 'no: denied' }, expect.stringContaining('cannot be renewed; it is tried again')],
  ]);
  await lease.assertHeld();
  stop.abort();
  await running;
  await at.untilAcquired(at.leaseOf(THEIRS));
  await expect(lease.assertHeld()).rejects.toThrow('in use by');
});
