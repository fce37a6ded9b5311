import { expect, test } from 'vitest';
import { objectsInTheWay } from './ownership.ts';
import { but, wellStore } from './situation.fixture.ts';

const well = wellStore();
const inTheWay = (name: string, change: object) => {
  const objects = well.observed.objects.map((object) =>
    `${object.resource.kind} ${object.name}` === name ? { ...object, ...change } : object,
  );
  return objectsInTheWay(but(well, { objects }).observed, well.desired).map(({ name }) => name);
};

test.each([
  ['somebody else', { controller: 'another uid', store: undefined }],
  ['nobody', { controller: undefined, store: undefined }],
  ['an earlier store of the name', { controller: 'an earlier uid' }],
])('what belongs to %s is in the way', (_whom, change) => {
  expect(inTheWay('Service orders-gateway', change)).toEqual(['orders-gateway']);
});

test.each([
  ['is the store’s', {}],
  ['was brought back by a backup, without an owner', { controller: undefined }],
  ['has another name', { name: 'another', controller: 'another uid', store: undefined }],
])('what %s is not', (_what, change) => {
  expect(inTheWay('Service orders-gateway', change)).toEqual([]);
});
