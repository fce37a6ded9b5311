import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { configMap } from './objects.fixture.ts';
import { bookmark, informerOf, listed, refused, TIMINGS, watching } from './scripted-informer.fixture.ts';
import { line, refuse, type Script } from './scripted-server.fixture.ts';

test('an informer lists again after several failed watches', async () => {
  await using bed = await informerOf([
    listed('5', []),
    ...[1, 2, 3].map(() => refused(504, 'Timeout')),
    listed('50', []),
    watching(bookmark('51')),
  ]);
  await eventually('it watches again', () => bed.asked().length === 6);
  expect(bed.asked()).toEqual(['list', 'watch 5', 'watch 5', 'watch 5', 'list', 'watch 50']);
});

test.each<[string, Script]>([
  ['500', refused(500, 'InternalError')],
  ['410', refused(410, 'Expired')],
  ['a reset', (_, response) => response.destroy()],
  [
    'an end at once',
    (asked, response) => (asked.query.has('watch') ? response.end() : listed('5', [])(asked, response)),
  ],
])('a storm of %s gets ever fewer requests', async (_, storm) => {
  const timings = { ...TIMINGS, firstDelayMs: 10, longestDelayMs: 400, healthyAfterMs: 5_000 };
  await using bed = await informerOf([storm], { timings });
  await sleep(1_500);
  // 10, 20, 40, … 400, each at least by half, and at most a list and a watch every time.
  expect(bed.asked().length).toBeLessThan(26);
  expect(bed.asked().length).toBeGreaterThan(5);
});

test('an informer waits for the time of Retry-After, up to the longest delay', async () => {
  await using bed = await informerOf([
    (_, response) => refuse(response, 429, 'TooManyRequests', { 'Retry-After': '3600' }),
    listed('5', []),
    watching(),
  ]);
  const began = performance.now();
  await bed.informer.synced;
  expect(performance.now() - began).toBeGreaterThan(150);
});

test('delays are short again once a watch has lasted', async () => {
  const lasting = async (_: unknown, response: ServerResponse) => {
    response.write('\n');
    await sleep(150);
    response.destroy();
  };
  const timings = { ...TIMINGS, firstDelayMs: 50, longestDelayMs: 60_000 };
  const failing = Array.from({ length: 4 }, () => refused(500, 'InternalError'));
  await using bed = await informerOf([...failing, listed('5', []), lasting, lasting, watching()], {
    timings,
  });
  // 50 + 100 + 200 + 400 at most; the sixth delay would be 1,600 ms, the seventh 3,200.
  await eventually('it watches for the third time', () => bed.asked().length === 8, 2_500);
});

test('a silent watch begins again, which is no failure while that works', async () => {
  const timings = { ...TIMINGS, silenceMs: 100 };
  const silent = watching();
  const bed = await informerOf(
    [
      listed('5', []),
      silent,
      silent,
      silent,
      listed('50', []),
      watching(line('ADDED', configMap('one', '51'))),
    ],
    { timings },
  );
  await using _ = bed;
  await eventually('it goes on', () => bed.informer.get('shop/one') !== undefined);
  expect(bed.asked().slice(0, 6)).toEqual(['list', 'watch 5', 'watch 5', 'watch 5', 'list', 'watch 50']);
  expect(bed.failures).toEqual([]);
  await eventually('silent watches are closed', async () => (await bed.server.open()) <= 1);
});

test('a watch that hangs before it begins is a failure with a message', async () => {
  const timings = { ...TIMINGS, silenceMs: 100 };
  await using bed = await informerOf([listed('5', []), () => {}], { timings });
  await eventually('it is noticed', () => bed.failures.length > 0);
  expect(bed.failures[0]).toBe('the API server said nothing for too long');
  await eventually('health knows', () => bed.informer.status().failure === bed.failures[0]);
});

test('an informer asks for smaller pages when a page is too large', async () => {
  const page: Script = ({ query }, response) => {
    if (Number(query.get('limit')) <= 125) listed('5', [configMap('one', '1')])({} as never, response);
    else response.end(Buffer.alloc(17 * 1024 * 1024, ' '));
  };
  await using bed = await informerOf([page, page, page, watching()]);
  await bed.informer.synced;
  expect(bed.server.asked.slice(0, 3).map(({ query }) => query.get('limit'))).toEqual(['500', '250', '125']);
});
