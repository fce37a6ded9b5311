import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { askPod } from './poll-pod.ts';
import { json, NEVER, NOT_READY, podAt, READY } from './running-pods.fixture.ts';

test('a pod says how it is', async () => {
  const pod = await podAt(
    '127.0.78.1',
    json(() => NOT_READY),
  );
  expect(await askPod(pod, NEVER)).toMatchObject({
    report: { store: 'shop/orders', ready: false, error: NOT_READY.error },
  });
});

test.each<[string, string, RequestListener | undefined, string]>([
  ['refuses the connection', '127.0.78.4', undefined, 'it refused the connection'],
  ['does not answer', '127.0.78.5', () => {}, 'it did not answer within 5 s'],
  ['is another program', '127.0.78.6', (_, response) => response.end('<html>'), 'no payload-store'],
  [
    'answers without end',
    '127.0.78.7',
    (_, response) => {
      const write = () => response.write('x'.repeat(65_536)) && setImmediate(write);
      response.on('drain', write).on('error', () => {});
      write();
    },
    'no payload-store',
  ],
])(
  'a pod that %s is unreachable, in words without addresses',
  async (_what, ip, listener, words) => {
    const answer = await askPod(await podAt(ip, listener), NEVER);
    expect(answer).toEqual({ unreachable: expect.stringContaining(words) });
    expect(JSON.stringify(answer)).not.toContain(ip);
  },
  10_000,
);

test("what a pod of another store answers at that address is nobody's report", async () => {
  const other = { ...READY, store: { namespace: 'shop', name: 'returns' } };
  const pod = await podAt(
    '127.0.78.9',
    json(() => other),
  );
  expect(await askPod(pod, NEVER)).toEqual({ unreachable: expect.stringContaining('another store') });
});
