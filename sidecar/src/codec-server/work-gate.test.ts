import { expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { WorkGate } from './work-gate.ts';

const never = new AbortController().signal;
const limits = { concurrentCalls: 2, waitingCalls: 3, waitTime: 10_000 };

test('lets so many in, and the others in the order of their arrival', async () => {
  const gate = new WorkGate(limits);
  const leave = [await gate.enter(never), await gate.enter(never)];
  const entered: number[] = [];
  const waiting = [0, 1, 2].map((index) =>
    gate.enter(never).then((left) => {
      entered.push(index);
      return left;
    }),
  );
  await expect(gate.enter(never)).rejects.toMatchObject({ code: 'busy' });
  expect(entered).toEqual([]);
  leave[0]?.();
  leave[0]?.();
  await eventually('the first is in', () => entered.length > 0);
  expect(entered).toEqual([0]);
  leave[1]?.();
  (await waiting[0])?.();
  await eventually('all are in', () => entered.length === 3);
  expect(entered).toEqual([0, 1, 2]);
  for (const left of await Promise.all(waiting)) left();
  for (const left of [await gate.enter(never), await gate.enter(never)]) left();
});

test('who gives up, or waits too long, takes no place', async () => {
  const gate = new WorkGate({ ...limits, concurrentCalls: 1, waitTime: 50 });
  const leave = await gate.enter(never);
  const stop = new AbortController();
  const given = gate.enter(stop.signal);
  stop.abort(new Error('the client left'));
  await expect(given).rejects.toThrow('the client left');
  await expect(gate.enter(stop.signal)).rejects.toThrow('the client left');
  await expect(gate.enter(never)).rejects.toMatchObject({ code: 'busy' });
  leave();
  (await gate.enter(never))();
});
