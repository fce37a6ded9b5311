import { STORAGE_KINDS } from '@largepayload/crds';
import { expect, test } from 'vitest';
import { DRIVERS } from './start-driver.ts';

test('each kind of storage that this version supports has a driver, and no other', () => {
  const supported = Object.values(STORAGE_KINDS).filter(({ isSupported }) => isSupported);
  expect(Object.keys(DRIVERS).toSorted()).toEqual(supported.map(({ name }) => name).toSorted());
});
