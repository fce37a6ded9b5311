import { once } from 'node:events';
import { connect as connectPlainly } from 'node:net';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { AUTHORITY, podOf, reviewOf, webhookBed } from './admission.fixture.ts';

test.concurrent('1,000 requests at once are all answered, on more connections than an API server has', async () => {
  await using bed = await webhookBed();
  await bed.ready();
  bed.agent.maxSockets = 250;
  const large = podOf(undefined, { padding: 'x'.repeat(10_000) });
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => bed.review(reviewOf(large))));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
});

test.concurrent('2,000 connections without a request, or without a handshake, keep out no other', async () => {
  await using bed = await webhookBed();
  await bed.ready();
  await bed.review(reviewOf(podOf()));
  const sockets = await Promise.all(
    Array.from({ length: 2_000 }, async () => {
      const socket = connectPlainly(bed.webhook.port, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      return socket;
    }),
  );
  expect((await bed.review(reviewOf(podOf()))).status).toBe(200);
  for (const socket of sockets) socket.destroy();
});

test.concurrent('a request that never ends is given up, and so is a handshake', async () => {
  await using bed = await webhookBed();
  await bed.ready();
  const answerTo = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect({ port: bed.webhook.port, host: '127.0.0.1', ca: AUTHORITY.certificate });
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk;
      });
      socket.on('error', () => {}).on('close', () => resolve(received));
      socket.write(text);
    });
  const head = 'POST /inject HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  const [slowHead, slowBody] = await Promise.all([
    answerTo(head),
    answerTo(`${head}Content-Length: 100\r\n\r\n{"kind":`),
  ]);
  expect(slowHead).toMatch('HTTP/1.1 408 ');
  expect(slowBody).toMatch('HTTP/1.1 408 ');
  expect((await bed.review(reviewOf(podOf()))).status).toBe(200);
});
