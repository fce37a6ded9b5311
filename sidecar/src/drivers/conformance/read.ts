import { expect, test } from 'vitest';
import type { ByteSink } from '../../bytes/byte-streams.ts';
import {
  contentOf,
  type DriverSubject,
  freshStore,
  never,
  someBytes,
  someName,
  testWith,
} from './subject.ts';

const MIB = 1024 * 1024;
const READS = 200;

const LEFT = new Error('the reader has left');
const leaving: ByteSink = {
  write() {
    throw LEFT;
  },
};

/** Opening, reading and leaving objects. */
export function describeRead(subject: DriverSubject): void {
  const at = freshStore(subject);
  const name = someName('read');

  test('an absent object, and a folder, open as undefined', async () => {
    expect(await at.store.driver.open(name, never())).toBeUndefined();
    await at.store.put(name, someBytes(10));
    expect(await at.store.driver.open(someName('another'), never())).toBeUndefined();
    expect(await at.store.driver.open(`${name}/below`, never())).toBeUndefined();
    expect(await at.store.driver.open(name.slice(0, name.lastIndexOf('/')), never())).toBeUndefined();
  });

  test.each([0, 1, 512 * 1024 - 1, 512 * 1024, 512 * 1024 + 1, MIB, 3 * MIB + 1])(
    'an object of %d bytes is read whole',
    async (size) => {
      await at.store.put(name, someBytes(size));
      const blob = await at.store.driver.open(name, never());
      expect(blob?.size).toBe(size);
      expect((await contentOf(blob)).equals(someBytes(size))).toBe(true);
    },
  );

  test('rejects with the reason of a signal that is aborted', async () => {
    await at.store.put(name, someBytes(10));
    const reason = new Error('no longer wanted');
    await expect(at.store.driver.open(name, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test.each(['deleted', 'replaced'])(
    'an object that is being read stays readable when it is %s',
    async (change) => {
      const bytes = someBytes(4 * MIB);
      await at.store.put(name, bytes);
      const blob = await at.store.driver.open(name, never());
      const copies: Buffer[] = [];
      await blob?.readInto({
        async write(chunk) {
          copies.push(Buffer.from(chunk));
          if (copies.length > 1) return;
          if (change === 'replaced')
            expect(await at.store.put(name, someBytes(4 * MIB + 1, 'new'))).toBe('created');
          else expect((await at.store.driver.delete([name], never())).failed).toEqual([]);
          // What is stored next must not take the place of bytes that are being read.
          await at.store.put(someName('next'), someBytes(4 * MIB, 'next'));
        },
      });
      expect(Buffer.concat(copies).equals(bytes)).toBe(true);
    },
  );

  test('an object that is open and not yet read stays readable when it is deleted', async () => {
    await at.store.put(name, someBytes(MIB));
    const blob = await at.store.driver.open(name, never());
    await at.store.driver.delete([name], never());
    await at.store.put(name, someBytes(MIB, 'put again'));
    expect((await contentOf(blob)).equals(someBytes(MIB))).toBe(true);
  });

  test('many readers of one object at different speeds all get its bytes', async () => {
    const bytes = someBytes(3 * MIB);
    await at.store.put(name, bytes);
    const read = async (pause: number) => {
      const copies: Buffer[] = [];
      const blob = await at.store.driver.open(name, never());
      await blob?.readInto({
        async write(chunk) {
          for (let turn = 0; turn < pause; turn += 1) await new Promise(setImmediate);
          copies.push(Buffer.from(chunk));
        },
      });
      return Buffer.concat(copies).equals(bytes);
    };
    expect(await Promise.all(Array.from({ length: 12 }, (_, index) => read(index * 3)))).not.toContain(false);
  });

  test.each([1_000, 3 * MIB])('a slow sink gets %i bytes one chunk after the other', async (size) => {
    await at.store.put(name, someBytes(size));
    const blob = await at.store.driver.open(name, never());
    const copies: Buffer[] = [];
    let isBusy = false;
    await blob?.readInto({
      async write(chunk) {
        expect(isBusy).toBe(false);
        isBusy = true;
        await new Promise((resolve) => setTimeout(resolve, 5));
        copies.push(Buffer.from(chunk));
        isBusy = false;
      },
    });
    expect(isBusy).toBe(false);
    expect(Buffer.concat(copies).equals(someBytes(size))).toBe(true);
  });

  test.each<[string, ByteSink['write']]>([
    ['throws', leaving.write],
    ['rejects', () => Promise.reject(LEFT)],
    ['rejects later', () => new Promise((_resolve, reject) => setTimeout(reject, 5, LEFT))],
  ])('a sink that %s ends the read with what it throws, and the object is closed', async (_title, write) => {
    const held = subject.capabilities.openResources === true ? await at.store.openResources() : undefined;
    for (const size of [1_000, 3 * MIB]) {
      await at.store.put(name, someBytes(size));
      const blob = await at.store.driver.open(name, never());
      await expect(blob?.readInto({ write })).rejects.toBe(LEFT);
      await blob?.close();
      if (held !== undefined) expect(await at.store.openResources()).toBe(held);
      await at.store.driver.delete([name], never());
    }
  });

  test('closing twice, or after the end, does no harm', async () => {
    await at.store.put(name, someBytes(MIB));
    const blob = await at.store.driver.open(name, never());
    await contentOf(blob);
    await blob?.close();
    await blob?.close();
    expect(await at.store.holds(name, someBytes(MIB))).toBe(true);
  });

  const sizes = [1_000, 3 * MIB];
  testWith(subject, 'openResources', `${READS} reads left early release what they held`, async () => {
    const before = await at.store.openResources();
    for (const size of sizes) {
      await at.store.put(someName(size), someBytes(size));
      await times(READS, async () => {
        const blob = await at.store.driver.open(someName(size), never());
        await expect(blob?.readInto(leaving)).rejects.toBe(LEFT);
      });
    }
    expect(await at.store.openResources()).toBe(before);
  });

  testWith(subject, 'openResources', `${READS} objects opened and closed unread are released`, async () => {
    const before = await at.store.openResources();
    await at.store.put(name, someBytes(MIB));
    await times(READS, async () => (await at.store.driver.open(name, never()))?.close());
    expect(await at.store.openResources()).toBe(before);
  });

  testWith(
    subject,
    'openResources',
    `${READS} reads to the end, and of absent objects, hold nothing`,
    async () => {
      const before = await at.store.openResources();
      for (const size of sizes) {
        await at.store.put(someName(size), someBytes(size));
        await times(READS, () => at.store.get(someName(size)));
      }
      await times(READS, () => at.store.get(someName('absent')));
      await times(READS, () => at.store.get(name.slice(0, name.indexOf('/'))));
      expect(await at.store.openResources()).toBe(before);
    },
  );
}

/** Calls it so often, ten at a time. */
async function times(count: number, call: () => Promise<unknown>): Promise<void> {
  let left = count;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: 10 }, work));
}
