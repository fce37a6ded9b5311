import { expect, test } from 'vitest';
import { ListingProgress } from './listing-progress.ts';

const page = (next: string | undefined, ...names: string[]) => ({
  objects: names.map((name) => ({ name, size: 1 })),
  folders: [],
  next,
});

test('some pages may be empty, and not 1,000 one after another', () => {
  const progress = new ListingProgress({ prefix: '' }, () => 0);
  for (let turn = 1; turn <= 1_000; turn += 1) progress.take(page(`${turn}`));
  progress.take(page('a key', 'a'));
  for (let turn = 1; turn <= 1_000; turn += 1) progress.take(page(`again ${turn}`));
  expect(() => progress.take(page('last'))).toThrow(/no key on 1001 pages/);
});

test('after five minutes without a key it is over', () => {
  let now = 0;
  const progress = new ListingProgress({ prefix: '' }, () => now);
  now = 299_000;
  progress.take(page('1'));
  now = 600_000;
  progress.take(page('2', 'a'));
  now = 899_000;
  progress.take(page('3'));
  now = 901_000;
  expect(() => progress.take(page('4'))).toThrow(/no key/);
});

test('a page that was refused can be asked for again', () => {
  const progress = new ListingProgress({ prefix: '' }, () => 0);
  progress.take(page('1', 'a', 'c'));
  expect(() => progress.take(page('2', 'd', 'b'))).toThrow(/"b" after "d"/);
  expect(() => progress.take(page('1', 'd'))).toThrow(/token comes again/);
  progress.take(page('2', 'd', 'e'));
  expect(() => progress.take(page('3', 'e'))).toThrow(/"e" after "e"/);
});
