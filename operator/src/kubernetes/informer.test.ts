import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import type { KubernetesObject } from './api.ts';
import { configMap } from './objects.fixture.ts';
import {
  bookmark,
  dataOf,
  informerOf,
  listed,
  refused,
  TIMINGS,
  watching,
} from './scripted-informer.fixture.ts';
import { line, type Script, statusOf } from './scripted-server.fixture.ts';

test('an informer has the mapped objects of all pages and of the watch', async () => {
  await using bed = await informerOf([
    listed('5', [configMap('one', '1', { a: '1' })], 'page two'),
    listed('5', [configMap('two', '2', { a: '2' })]),
    watching(
      line('MODIFIED', configMap('one', '6', { a: '1b' })),
      line('DELETED', configMap('two', '7', { a: '2' })),
      line('ADDED', configMap('three', '8', { a: '3' })),
      bookmark('9'),
    ),
  ]);
  await bed.informer.synced;
  await eventually('the watch was read', () => bed.informer.get('shop/three') !== undefined);
  expect([...bed.informer.entries()]).toEqual([
    ['shop/one', { a: '1b' }],
    ['shop/three', { a: '3' }],
  ]);
  expect(bed.changes).toEqual([
    ['shop/one', undefined, { a: '1' }],
    ['shop/two', undefined, { a: '2' }],
    ['shop/one', { a: '1' }, { a: '1b' }],
    ['shop/two', { a: '2' }, undefined],
    ['shop/three', undefined, { a: '3' }],
  ]);
  expect(bed.server.asked[1]?.query.get('continue')).toBe('page two');
  expect(bed.asked()).toEqual(['list', 'list', 'watch 5']);
  expect(Number(bed.server.asked[2]?.query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
  expect(bed.informer.status()).toEqual({ synced: true, failure: undefined });
});

test.each<[string, Script]>([
  ['500 before it begins', refused(500, 'InternalError')],
  ['a reset', (_, response) => response.destroy()],
  ['a reset in the middle', (_, response) => response.write(bookmark('5'), () => response.destroy())],
  ['a malformed line', (_, response) => response.write('{"type":"ADD\n')],
  ['an end in the middle of a line', (_, response) => response.end('{"type":"ADD')],
  ['a page of a proxy', (_, response) => response.end('<html></html>\n')],
  ['an error within', (_, response) => response.write(line('ERROR', statusOf(500, 'InternalError')))],
])('a watch that ends by %s begins again where it was', async (_, fault) => {
  await using bed = await informerOf([
    listed('5', [configMap('one', '1')]),
    fault,
    watching(line('ADDED', configMap('two', '6'))),
  ]);
  await eventually('it goes on', () => bed.informer.get('shop/two') !== undefined);
  expect(bed.asked()).toEqual(['list', 'watch 5', 'watch 5']);
  expect(bed.failures.length).toBe(1);
  expect(bed.informer.status().failure).toBeUndefined();
});

test('a watch begins again at the last bookmark', async () => {
  await using bed = await informerOf([
    listed('5', []),
    (_, response) => response.end(bookmark('70')),
    watching(line('ADDED', configMap('two', '71'))),
  ]);
  await eventually('it goes on', () => bed.informer.get('shop/two') !== undefined);
  expect(bed.asked()).toEqual(['list', 'watch 5', 'watch 70']);
  expect(bed.failures).toEqual([]);
});

test.each<[string, Script]>([
  ['refused with 410', refused(410, 'Expired')],
  ['ended by 410', (_, response) => response.write(line('ERROR', statusOf(410, 'Expired')))],
])('after a watch was %s, a list reports what changed meanwhile, and only that', async (_, fault) => {
  await using bed = await informerOf([
    listed('5', [
      configMap('same', '1', { a: 's' }),
      configMap('changed', '2', { a: 'c' }),
      configMap('gone', '3', { a: 'g' }),
      configMap('labelled', '4', { a: 'l' }),
    ]),
    fault,
    listed('50', [
      configMap('same', '1', { a: 's' }),
      configMap('changed', '40', { a: 'd' }),
      // Something changed that is not kept.
      configMap('labelled', '41', { a: 'l' }),
      configMap('new', '42', { a: 'n' }),
    ]),
    watching(),
  ]);
  await eventually('it watches again', () => bed.asked().length === 4);
  expect(bed.changes.slice(4)).toEqual([
    ['shop/changed', { a: 'c' }, { a: 'd' }],
    ['shop/new', undefined, { a: 'n' }],
    ['shop/gone', { a: 'g' }, undefined],
  ]);
  expect(bed.asked()).toEqual(['list', 'watch 5', 'list', 'watch 50']);
});

test('a list that fails between its pages deletes nothing', async () => {
  await using bed = await informerOf([
    listed('5', [configMap('one', '1'), configMap('two', '2')]),
    refused(410, 'Expired'),
    listed('9', [configMap('one', '1')], 'page two'),
    refused(410, 'Expired'),
    refused(503, 'ServiceUnavailable'),
    (_, response) => response.destroy(),
    listed('12', [configMap('one', '1'), configMap('two', '2')]),
    watching(),
  ]);
  await eventually('it watches again', () => bed.asked().length === 8);
  expect(bed.changes.length).toBe(2);
  // The token of a list that failed is not used again.
  expect(bed.server.asked.map(({ query }) => query.get('continue')).filter(Boolean)).toEqual(['page two']);
});

test('an object that cannot be mapped and a listener that throws are reported, and change nothing else', async () => {
  const map = (object: KubernetesObject) => {
    if (object.metadata.name === 'odd') throw new Error('odd indeed');
    return dataOf(object);
  };
  await using bed = await informerOf(
    [
      listed('5', [configMap('odd', '1'), configMap('one', '2')]),
      watching(line('ADDED', configMap('two', '6'))),
    ],
    { map },
  );
  bed.informer.onChange(() => {
    throw new Error('a mistake');
  });
  await eventually('all is there', () => bed.informer.size === 2);
  expect(bed.failures).toContain('odd indeed');
  expect(bed.failures).toContain('a mistake');
  expect(bed.asked()).toEqual(['list', 'watch 5']);
});

test('an informer ends at once when it is aborted between a list and its watch', async () => {
  const bed = await informerOf([listed('5', []), watching()]);
  await bed.informer.synced;
  const began = performance.now();
  await bed[Symbol.asyncDispose]();
  expect(performance.now() - began).toBeLessThan(5_000);
});

test('an informer ends at once when it is aborted, wherever it is', async () => {
  const scripts: Record<string, Script[]> = {
    'in a list': [() => {}],
    'in a watch': [listed('5', []), watching()],
    'in a delay': [refused(500, 'InternalError')],
  };
  for (const [where, script] of Object.entries(scripts)) {
    const bed = await informerOf(script, {
      timings: { ...TIMINGS, firstDelayMs: 60_000, longestDelayMs: 60_000 },
    });
    await eventually('it has asked', () => bed.asked().length === script.length);
    await sleep(50);
    const began = performance.now();
    await bed[Symbol.asyncDispose]();
    expect(performance.now() - began, where).toBeLessThan(5_000);
    if (where !== 'in a watch') await expect(bed.informer.synced).rejects.toThrow('the test is over');
  }
});
