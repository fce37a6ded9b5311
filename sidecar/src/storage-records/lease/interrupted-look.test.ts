import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterEach, expect, test, vi } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import { leasedStorage, OURS, THEIRS } from './lease.fixture.ts';
import { formatLease, type Lease } from './lease.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a process that was stopped between reading and writing puts no lease over the one of another resource', async () => {
  const at = leasedStorage();
  await at.acquired(OURS);
  const theirs = { ...((await at.stored()) as Lease), ...THEIRS };
  const begin = vi.fn(at.store.driver.begin.bind(at.store.driver));
  const open: Driver['open'] = async (name, signal) => {
    const read = await at.store.driver.open(name, signal);
    // What happens while this process is stopped for a minute.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    await at.write(formatLease({ ...theirs, renewed: Date.now() }));
    return read;
  };
  const driver = Object.assign(Object.create(at.store.driver), { open, begin }) as Driver;
  const warn = vi.spyOn(at.log, 'warn');
  const stop = new AbortController();
  const running = at.leaseOf(OURS, {}, driver).run(stop.signal);
  await eventually('the renewal is given up', () => warn.mock.calls.length > 0);
  stop.abort();
  await running;
  expect(warn.mock.calls[0]).toEqual([
    { reason: expect.stringContaining('this process was interrupted after it had read the lease') },
    expect.stringContaining('cannot be renewed'),
  ]);
  expect(begin).not.toHaveBeenCalled();
  expect(await at.stored()).toMatchObject({ holder: 'uid-3' });
});
