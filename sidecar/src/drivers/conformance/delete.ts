import { expect, test } from 'vitest';
import { type DriverSubject, freshStore, never, someBytes, someName, testWith } from './subject.ts';

/** How far the backend's clock may be from the test's (ms). */
const CLOCK_DIFFERENCE = 5_000;

export function describeDelete(subject: DriverSubject): void {
  const at = freshStore(subject);

  test('deletes the named objects and no others', async () => {
    for (const seed of [1, 2, 3]) await at.store.put(someName(seed), someBytes(seed));
    const names = [someName(1), someName(3)];
    const { deleted, failed } = await at.store.driver.delete(names, never());
    expect([...deleted].sort()).toEqual(names.sort());
    expect(failed).toEqual([]);
    expect(await at.store.names()).toEqual([someName(2)]);
    expect(await at.store.get(someName(1))).toBeUndefined();
  });

  test('a name can be put again after it was deleted', async () => {
    for (let round = 0; round < 3; round += 1) {
      expect(await at.store.put(someName(1), someBytes(round))).toBe('created');
      await at.store.driver.delete([someName(1)], never());
    }
    expect(await at.store.names()).toEqual([]);
  });

  test('a delete of nothing, or only of absent objects, fails for no object', async () => {
    expect(await at.store.driver.delete([], never())).toEqual({ deleted: [], failed: [] });
    expect((await at.store.driver.delete([someName(1)], never())).failed).toEqual([]);
  });

  testWith(subject, 'deletedNamesAreExact', 'absent objects among others are not counted', async () => {
    const present = Array.from({ length: 40 }, (_, index) => someName(index));
    for (const name of present) await at.store.put(name, someBytes(3));
    const absent = Array.from({ length: 960 }, (_, index) => someName(`absent ${index}`));
    const { deleted, failed } = await at.store.driver.delete([...absent, ...present], never());
    expect([...deleted].sort()).toEqual(present.sort());
    expect(failed).toEqual([]);
    expect(await at.store.names()).toEqual([]);
  });

  testWith(subject, 'deletedNamesAreExact', 'two deletes at once count each object once', async () => {
    const names = Array.from({ length: 100 }, (_, index) => someName(index));
    await Promise.all(names.map((name) => at.store.put(name, someBytes(3))));
    const outcomes = await Promise.all([names, names].map((all) => at.store.driver.delete(all, never())));
    expect(outcomes.flatMap(({ failed }) => failed)).toEqual([]);
    expect(outcomes.flatMap(({ deleted }) => deleted).sort()).toEqual(names.sort());
  });

  test('removeFolder removes what is left of a folder without objects, and nothing else', async () => {
    const [first, second] = ['expires-20400101T000000Z-30d/', 'expires-20400102T000000Z-30d/'];
    await at.store.put(`${first}orders/common/a`, someBytes(3));
    await at.store.put(`${first}orders/custom/wf/1/a`, someBytes(3));
    await at.store.put(`${second}orders/common/a`, someBytes(3));
    await at.store.driver.delete([`${first}orders/custom/wf/1/a`], never());
    await at.store.driver.removeFolder(first, never());
    expect(await at.store.list(first)).toEqual([{ name: `${first}orders/common/a`, size: 3 }]);
    await at.store.driver.delete([`${first}orders/common/a`], never());
    await at.store.driver.removeFolder(first, never());
    await at.store.driver.removeFolder(first, never());
    expect(await at.store.names()).toEqual([`${second}orders/common/a`]);
  });

  testWith(subject, 'emptyFoldersVanish', 'removeFolder leaves no folder to be listed', async () => {
    const [first, second] = ['expires-20400101T000000Z-30d/', 'expires-20400102T000000Z-30d/'];
    const names = [first, second].map((folder) => `${folder}orders/custom/wf/1/a`);
    for (const name of names) await at.store.put(name, someBytes(3));
    await at.store.driver.delete(names.slice(0, 1), never());
    await at.store.driver.removeFolder(first, never());
    expect(await at.store.folders('')).toEqual([second]);
  });

  test('rejects with the reason of a signal that is aborted, and deletes nothing', async () => {
    await at.store.put(someName(1), someBytes(3));
    const reason = new Error('no longer wanted');
    const aborted = at.store.driver.delete([someName(1)], AbortSignal.abort(reason));
    await expect(aborted).rejects.toBe(reason);
    expect(await at.store.names()).toEqual([someName(1)]);
  });

  test('currentTime is the time, and leaves nothing', async () => {
    const before = Date.now();
    const time = await at.store.driver.currentTime(never());
    expect(time).toBeGreaterThan(before - CLOCK_DIFFERENCE);
    expect(time).toBeLessThan(Date.now() + CLOCK_DIFFERENCE);
    expect(await at.store.names()).toEqual([]);
    if (subject.capabilities.leftovers === true) expect(await at.store.leftovers()).toEqual([]);
    const reason = new Error('no longer wanted');
    await expect(at.store.driver.currentTime(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
}
