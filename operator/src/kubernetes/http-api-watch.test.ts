import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import type { WatchEvent } from './api.ts';
import { apiOf, failureOf, NEVER } from './http-api.fixture.ts';
import { configMap } from './objects.fixture.ts';
import { CONFIG_MAPS } from './resources.ts';
import { line, refuse, statusOf } from './scripted-server.fixture.ts';

const START = { resourceVersion: '7', timeoutSeconds: 300 };

async function eventsOf(watch: AsyncIterable<WatchEvent>, into: WatchEvent[] = []): Promise<WatchEvent[]> {
  for await (const event of watch) into.push(event);
  return into;
}

test('a watch gives events as they come, however their bytes are split, and ends in order', async () => {
  const huge = configMap('huge', '9', { text: 'ü'.repeat(750_000) });
  await using bed = await apiOf(async (_, response) => {
    const bytes = Buffer.from(line('ADDED', configMap('größe', '8')) + line('MODIFIED', huge));
    const cut = bytes.indexOf(Buffer.from('ö')) + 1;
    for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      response.write(part);
      await sleep(20);
    }
    response.end(line('BOOKMARK', { metadata: { resourceVersion: '10' } }));
  });
  let opened = 0;
  const from = { ...START, onOpen: () => opened++ };
  const events = await eventsOf(bed.api.watch({ resource: CONFIG_MAPS }, from, NEVER));
  expect(events.map(({ type, object }) => [type, object.metadata.resourceVersion])).toEqual([
    ['ADDED', '8'],
    ['MODIFIED', '9'],
    ['BOOKMARK', '10'],
  ]);
  expect(events[0]?.object.metadata.name).toBe('größe');
  expect(events[1]?.object.data).toEqual(huge.data);
  expect(opened).toBe(1);
  expect(Object.fromEntries(bed.server.asked[0]?.query ?? [])).toEqual({
    ...{ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: '7', timeoutSeconds: '300' },
  });
});

test.each([
  ['an ERROR event', line('ERROR', statusOf(410, 'Expired')), { status: 410, reason: 'Expired' }],
  ['an ERROR event that says nothing', line('ERROR', {}), { status: 500 }],
  ['a malformed line', '{"type":\n', { status: 0 }],
  ['an end within an event', '{"type":"ADDED"', { status: 0 }],
])('%s ends the watch by a failure, after the events before it', async (_, text, expected) => {
  await using bed = await apiOf((__, response) => response.end(line('ADDED', configMap('one', '8')) + text));
  const events: WatchEvent[] = [];
  const failure = await failureOf(eventsOf(bed.api.watch({ resource: CONFIG_MAPS }, START, NEVER), events));
  expect(failure).toMatchObject(expected);
  expect(events.length).toBe(1);
});

test('a watch whose connection breaks fails, and a watch that is refused never opens', async () => {
  await using breaking = await apiOf((_, response) => {
    response.write(line('ADDED', configMap('one', '8')), () => response.destroy());
  });
  const watch = breaking.api.watch({ resource: CONFIG_MAPS }, START, NEVER);
  expect(await failureOf(eventsOf(watch))).toMatchObject({ status: 0 });
  await using expired = await apiOf((_, response) => refuse(response, 410, 'Expired'));
  const from = { ...START, onOpen: () => expect.unreachable('it was refused') };
  const refused = failureOf(eventsOf(expired.api.watch({ resource: CONFIG_MAPS }, from, NEVER)));
  expect(await refused).toMatchObject({ status: 410, reason: 'Expired' });
});

test('a watch ends by its signal, and when its reader stops', async () => {
  await using bed = await apiOf((_, response) => response.write(line('ADDED', configMap('one', '8'))));
  const controller = new AbortController();
  const aborted = eventsOf(bed.api.watch({ resource: CONFIG_MAPS }, START, controller.signal));
  await eventually('it is open', async () => (await bed.server.open()) === 1);
  await sleep(50);
  controller.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  for await (const _ of bed.api.watch({ resource: CONFIG_MAPS }, START, NEVER)) break;
  await eventually('both connections are closed', async () => (await bed.server.open()) === 0);
});
