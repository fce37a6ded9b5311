import { expect, test } from 'vitest';
import { never } from '../../drivers/conformance/subject.ts';
import { leasedStorage, OURS, THEIRS } from './lease.fixture.ts';

test.concurrent('those that share use it beside each other, and a third one does not', async () => {
  const at = leasedStorage();
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
  const at = leasedStorage();
  await at.acquired(OURS);
  await expect(at.acquired({ ...THEIRS, shared: true })).rejects.toThrow(
    'say storage.shared: true there too',
  );
  await at.acquired({ ...OURS, shared: true });
  await at.acquired({ ...THEIRS, shared: true });
});
