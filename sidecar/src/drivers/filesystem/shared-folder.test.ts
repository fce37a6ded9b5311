import { afterEach, beforeEach, expect, test } from 'vitest';
import { someBytes, someName, TestStore } from '../conformance/subject.ts';
import { FilesystemDriver } from './filesystem-driver.ts';
import { newFolder, removeFolder, temporaryFiles } from './folder.fixture.ts';
import { inProcess } from './own-process.fixture.ts';

let folder: string;
beforeEach(() => {
  folder = newFolder();
});
afterEach(() => removeFolder(folder));

async function startStore(): Promise<TestStore> {
  const driver = await FilesystemDriver.start(folder);
  return new TestStore({ driver, stop: () => driver.close() });
}

test('two drivers of one process create each object once, and the end of one leaves the other whole', async () => {
  const [one, two] = [await startStore(), await startStore()];
  const names = Array.from({ length: 50 }, (_, index) => someName(index));
  const putAll = (store: TestStore) =>
    Promise.all(names.map((name) => store.put(name, someBytes(50_000, name))));
  const [first, second] = await Promise.all([putAll(one), putAll(two)]);
  for (const index of names.keys())
    expect([first[index], second[index]].sort()).toEqual(['created', 'existed']);
  await one.stop();
  expect(await two.put(someName('afterwards'), someBytes(10))).toBe('created');
  expect(await temporaryFiles(folder)).toEqual([]);
  await two.stop();
});

test('three processes create each object once, and all objects are whole', async () => {
  const results = await Promise.all(
    ['a', 'b', 'c'].map((own) => inProcess<{ shared: string[]; owned: string[] }>('putMany', [folder, own])),
  );
  for (let index = 0; index < 40; index += 1) {
    const outcomes = results.map(({ shared }) => shared[index]);
    expect(outcomes.sort(), `object ${index}`).toEqual(['created', 'existed', 'existed']);
  }
  expect(results.flatMap(({ owned }) => owned)).toEqual(Array.from({ length: 120 }, () => 'created'));
  const store = await startStore();
  const listed = await store.list('expires-20400101T000000Z-30d/');
  expect(listed).toHaveLength(160);
  expect(listed.reduce((sum, { size }) => sum + size, 0)).toBe(160 * 100_000 + (39 * 40) / 2);
  expect(await temporaryFiles(folder)).toEqual([]);
  await store.stop();
});
