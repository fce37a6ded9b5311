import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { all, never, someBytes, TestStore } from '../../drivers/conformance/subject.ts';
import { ON_EACH_DRIVER } from '../../retention/stores.fixture.ts';
import { usage } from '../../retention/usage.ts';
import { tryWrite } from './write-trial.ts';

describe.each(ON_EACH_DRIVER)('a trial of writing on the %s driver', (_name, start) => {
  let store: TestStore;
  beforeEach(async () => {
    store = new TestStore(await start());
  });
  afterEach(() => store.stop());

  test('writes each time, whatever is there', async () => {
    const found = new Set<string | undefined>();
    await store.put('write-check', someBytes(10_000));
    for (let round = 0; round < 5; round += 1) {
      await tryWrite(store.driver);
      found.add((await store.get('write-check'))?.toString());
    }
    expect(found.size).toBe(5);
    for (const content of found) expect(content).toMatch(/^payload-store wrote this to learn/);
  });

  test('is none that others disturb, and none that counts as a payload', async () => {
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 8 }, () => tryWrite(store.driver)));
    }
    expect(await all(usage(store.driver, never()))).toEqual([]);
    expect(await store.folders('write')).toEqual([]);
  });

  test('fails with what the storage says, and with the reason of whoever ends it', async () => {
    const reason = new Error('the process is ending');
    await expect(tryWrite(store.driver, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await store.get('write-check')).toBeUndefined();
  });
});
