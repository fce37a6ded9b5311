// node docs/adr/measurements/sdk-transport.mjs: what the HTTP handler of Amazon's SDK does with services that misbehave.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';

const LIMITS = {
  connectionTimeout: 1_000,
  requestTimeout: 1_000,
  socketTimeout: 1_000,
  throwOnRequestTimeout: true,
};
const BODY = Buffer.alloc(8 * 2 ** 20);

await show(
  'a 200 while 7 of 8 MiB are still to be sent',
  (client) => put(client, BODY),
  (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 0\r\n\r\n'));
  },
);
await show(
  'a source that pauses for 2 s, and a service that waits for it',
  (client) => put(client, Readable.from(pausing()), 2),
  (socket) => {
    socket.on('data', (data) => {
      if (String(data).endsWith('b'))
        socket.write('HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 0\r\n\r\n');
    });
  },
);
await show(
  'a refusal that is 256 MiB long',
  (client) => client.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' })),
  (socket) => {
    socket.write(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${256 * 2 ** 20}\r\n\r\n`);
    for (let piece = 0; piece < 64; piece += 1) socket.write(Buffer.alloc(4 * 2 ** 20, 'x'));
  },
);
await show(
  'an answer whose body stops after its first byte',
  async (client) =>
    (await client.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' }))).Body.transformToByteArray(),
  (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx'),
);
process.exit();

async function show(what, call, answer) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (socket.listenerCount('data') === 0) socket.once('data', () => {});
    answer(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${server.address().port}`,
    region: 'r',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler(LIMITS),
  });
  const started = performance.now();
  const outcome = await Promise.race([
    call(client).then(
      () => 'success',
      (error) => `${error.name}: ${error.message.slice(0, 70)}`,
    ),
    sleep(10_000, 'nothing for 10 s'),
  ]);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(
    `${what}: ${outcome} (${seconds} s, peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB)`,
  );
}

function put(client, Body, ContentLength = Body.length) {
  return client.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body, ContentLength }));
}

async function* pausing() {
  yield Buffer.from('a');
  await sleep(2_000);
  yield Buffer.from('b');
}
