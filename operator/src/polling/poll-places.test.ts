import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { PollPlaces, type WaitingPoll } from './poll-places.ts';

const STORE = {};

/** Places, with polls that are answered when the test says so. */
function pool() {
  const places = new PollPlaces();
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const put = (name: string, wasSilent = false, store: object = STORE): WaitingPoll => {
    const begin = () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    };
    const poll = { store, wasSilent, begin };
    places.put(poll);
    return poll;
  };
  const putMany = (count: number, name: string, wasSilent = false) => {
    for (let index = 0; index < count; index++) put(`${name}-${index}`, wasSilent);
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    ends.delete(name);
    await turn();
  };
  return { places, begun, put, putMany, end, ends };
}

test('20 polls run at a time, in the order in which they were put', async () => {
  const { begun, putMany, end } = pool();
  putMany(23, 'pod');
  expect(begun).toHaveLength(20);
  await end('pod-7');
  await end('pod-3');
  expect(begun.slice(20)).toEqual(['pod-20', 'pod-21']);
});

test('pods that were silent leave half of the places to others', async () => {
  const { begun, put, putMany, end } = pool();
  putMany(1_000, 'silent', true);
  expect(begun).toHaveLength(10);
  put('new');
  expect(begun.at(-1)).toBe('new');
  await end('silent-0');
  expect(begun.at(-1)).toBe('silent-10');
});

test('pods that were silent come after others', async () => {
  const { begun, put, putMany, end } = pool();
  putMany(20, 'busy');
  put('silent', true);
  put('new');
  await end('busy-0');
  expect(begun.at(-1)).toBe('new');
  await end('busy-1');
  expect(begun.at(-1)).toBe('silent');
});

test.each([false, true])(
  '1,000 pods of one store (silent: %s) come after those of others',
  async (wasSilent) => {
    const { begun, put, putMany, end } = pool();
    putMany(1_000, 'pod', wasSilent);
    const [one, other] = [{}, {}];
    put('one-0', wasSilent, one);
    put('one-1', wasSilent, one);
    put('other-0', wasSilent, other);
    const before = begun.length;
    for (let index = 0; index < 4; index++) await end(`pod-${index}`);
    expect(begun.slice(before)).toEqual(['one-0', 'other-0', 'one-1', `pod-${before}`]);
  },
);

test('a poll that is withdrawn while it waits does not begin', async () => {
  const { places, begun, put, putMany, end } = pool();
  putMany(20, 'busy');
  const withdrawn = put('withdrawn');
  expect(places.withdraw(withdrawn)).toBe(true);
  await end('busy-0');
  expect(begun).not.toContain('withdrawn');
  const running = put('running');
  expect(places.withdraw(running)).toBe(false);
});

test('the places are settled once no poll runs and none waits', async () => {
  const { places, putMany, end, ends } = pool();
  await places.settled();
  putMany(21, 'pod');
  let isSettled = false;
  const settling = places.settled().then(() => {
    isSettled = true;
  });
  while (ends.size > 0) {
    await turn();
    expect(isSettled).toBe(false);
    await Promise.all([...ends.keys()].map(end));
  }
  await settling;
});
