import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { pauseWhileConnectionsArrive } from './arriving-connections.ts';
import { FairBudget } from './fair-budget.ts';

const never = new AbortController().signal;

function setUp() {
  const server = new EventEmitter();
  const budget = new FairBudget({ limit: 10, mostWaiting: 10, waitTimeMs: 60_000 });
  pauseWhileConnectionsArrive(server as Server, budget);
  let entered = 0;
  return {
    connect: () => server.emit('connection'),
    begin: () =>
      budget.reserve('a', 1, never).then(() => {
        entered += 1;
      }),
    entered: () => entered,
  };
}

test('no request begins while each turn brings a connection, and all begin after a turn that brings none', async () => {
  const { connect, begin, entered } = setUp();
  const beginning: Promise<void>[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    connect();
    beginning.push(begin());
    await nextTurn();
    expect(entered()).toBe(0);
  }
  await Promise.all(beginning);
  expect(entered()).toBe(5);
});

test('a request begins at once when no connection arrives', async () => {
  const { connect, begin, entered } = setUp();
  connect();
  await begin();
  const beginning = begin();
  await Promise.resolve();
  await Promise.resolve();
  expect(entered()).toBe(2);
  await beginning;
});

test('connections that never end delay a request for a while only', async () => {
  const { connect, begin, entered } = setUp();
  connect();
  const beginning = begin();
  let turns = 0;
  for (; entered() === 0; turns += 1) {
    connect();
    await nextTurn();
  }
  await beginning;
  expect(turns).toBeGreaterThan(2);
});
