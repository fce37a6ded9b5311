import type { AddressInfo } from 'node:net';
import { RawConnection } from '@largepayload/testing/servers/raw-connection';
import { call } from '@largepayload/testing/service/http-call';
import { eventually } from '@largepayload/testing/waiting/eventually';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { answerError } from '../http/error-answers.ts';
import { LineWorks } from './line-works.ts';

test('callers that do not read give their places up to one that waits, and end their work', async () => {
  let working = 0;
  async function* endless(signal: AbortSignal) {
    working += 1;
    try {
      while (!signal.aborted) yield { text: 'x'.repeat(100_000) };
    } finally {
      working -= 1;
    }
  }
  async function* short() {
    yield { text: 'short' };
  }
  const works = new LineWorks();
  const app = Fastify();
  app.setErrorHandler(answerError);
  app.get('/endless', (request, reply) => works.send(request, reply, endless));
  app.get('/short', (request, reply) => works.send(request, reply, short));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = `127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const stalled = [];
  for (let index = 0; index < 2; index += 1) {
    const connection = await RawConnection.open(address);
    connection.socket.pause();
    await connection.sendHead('GET /endless HTTP/1.1', {});
    stalled.push(connection);
  }
  await eventually('both work', () => working === 2);
  const answer = await call(address, '/short');
  expect(answer.body.toString()).toBe('{"text":"short"}\n{"done":true}\n');
  expect(working).toBeLessThan(2);
  for (const connection of stalled) connection.socket.destroy();
  await eventually('all work ends', () => working === 0);
  await app.close();
});
