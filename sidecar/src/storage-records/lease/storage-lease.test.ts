import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test, vi } from 'vitest';
import { never, someBytes } from '../../drivers/conformance/subject.ts';
import { StorageInUseError } from '../../errors/storage-in-use-error.ts';
import { FAST_TIMES, leasedStorage, OURS, REAPER, SAME_NAME, THEIRS } from './lease.fixture.ts';
import { formatLease, type Lease } from './lease.ts';

test.concurrent('the first one has it, and others of the same resource have it too', async () => {
  const at = leasedStorage();
  const first = await at.acquired(OURS);
  expect(await at.stored()).toMatchObject({ holder: 'uid-1', cluster: 'here', released: false });
  await at.acquired(OURS);
  await at.acquired(REAPER);
  await first.assertHeld();
  await first.assertMayDelete(never());
});

test.concurrent('another cluster is refused as long as it is renewed, and told by whom', async () => {
  const at = leasedStorage();
  await at.living(OURS);
  const theirs = at.leaseOf(THEIRS);
  const begun = performance.now();
  while (performance.now() - begun < 1.2 * FAST_TIMES.holdsForMs) {
    const refusal = await at.acquire(theirs).catch((error) => error);
    expect(refusal).toBeInstanceOf(StorageInUseError);
    expect(refusal.retryAfterMs).toBeUndefined();
    expect(refusal.message).toMatch(
      /^the storage is in use by payments\/orders of the cluster here \(uid-1\) since 20.*Z; nothing is stored or deleted here\. If that one has gone, .* give each .* or, to share it on purpose, say storage.shared: true in both$/,
    );
    await sleep(20);
  }
  expect(await at.stored()).toMatchObject({ holder: 'uid-1' });
});

test.concurrent('what was not renewed for long is taken over, and who had it stops', async () => {
  const at = leasedStorage();
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
  const at = leasedStorage();
  const { lease, end } = await at.living(OURS);
  const again = at.leaseOf(SAME_NAME);
  const waiting = await at.acquire(again).catch((error) => error);
  expect(waiting.message).toMatch(
    /^waits for the storage for at most \d+ s: it was used by payments\/orders of the cluster here \(uid-1\), which may be ending$/,
  );
  expect(waiting.retryAfterMs).toBeGreaterThan(0);
  await end();
  await lease.release();
  expect(await at.stored()).toMatchObject({ holder: 'uid-1', released: true });
  const released = performance.now();
  await expect(at.acquire(again)).rejects.toThrow('which has ended');
  await at.untilAcquired(again);
  expect(performance.now() - released).toBeGreaterThan(FAST_TIMES.watchForMs - 50);
  expect(again.found).toMatchObject({ holder: 'uid-2', takenFrom: { holder: 'uid-1' } });
});

test.concurrent('a lease that one process gave back is renewed by another one of the resource', async () => {
  const at = leasedStorage();
  const { lease, end } = await at.living(OURS);
  await at.living(OURS);
  await end();
  await lease.release();
  await eventually('it is renewed', async () => (await at.stored())?.released === false);
  await expect(at.acquire(at.leaseOf(THEIRS))).rejects.toThrow('in use by');
});

test.concurrent('of two that take over at the same moment one has it in the end, and neither deletes meanwhile', async () => {
  const at = leasedStorage();
  await at.write(formatLease({ ...((await at.acquired(OURS)).found as Lease), renewed: 0 }));
  const both = [at.leaseOf(THEIRS), at.leaseOf({ ...THEIRS, holder: 'uid-4' })];
  await Promise.allSettled(both.map(at.acquire));
  await sleep(FAST_TIMES.watchForMs + 50);
  await Promise.allSettled(both.map(at.acquire));
  const outcomes = await Promise.allSettled(both.map((lease) => lease.assertMayDelete(never())));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test.concurrent('a reaper of another resource deletes nothing, be the lease fresh or over', async () => {
  const at = leasedStorage();
  await at.acquired(OURS);
  const reaper = at.leaseOf({ ...THEIRS, mayWrite: false });
  await expect(at.acquire(reaper)).rejects.toThrow('in use by');
  await eventually('it is over', async () =>
    at.acquire(reaper).catch(({ message }) => message.startsWith('waits until a gateway of the store takes')),
  );
  await sleep(FAST_TIMES.watchForMs);
  await expect(at.acquire(reaper)).rejects.toThrow('waits until a gateway');
  expect(await at.stored()).toMatchObject({ holder: 'uid-1' });
  await at.untilAcquired(at.leaseOf(THEIRS));
  await at.acquire(reaper);
  await reaper.assertMayDelete(never());
});

test.concurrent('a reaper goes on by its own lease whatever its age, and without any after a while', async () => {
  const at = leasedStorage();
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
  const at = leasedStorage();
  await at.store.put('lease.json', bytes);
  const ours = at.leaseOf(OURS);
  await expect(at.acquire(ours)).rejects.toThrow('lease.json cannot be read, and counts as over');
  await at.untilAcquired(ours);
  expect(await at.stored()).toMatchObject({ holder: 'uid-1', takenFrom: { holder: 'unknown' } });
});

test.concurrent('nor does a time in the future', async () => {
  const at = leasedStorage();
  const { found } = await at.acquired(THEIRS);
  await at.write(formatLease({ ...(found as Lease), renewed: Date.now() + 1e9 }));
  const ours = at.leaseOf(OURS);
  await expect(at.acquire(ours)).rejects.toThrow('in use by');
  await at.untilAcquired(ours);
});
