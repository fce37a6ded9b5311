// node docs/adr/measurements/fastify.mjs: what fastify costs beside a server of node:http that does nothing else.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';

const REQUESTS = 20_000;
const CLIENTS = 16;
const [mode] = process.argv.slice(2);
if (mode === undefined) for (const each of ['http', 'fastify', 'http', 'fastify']) await measure(each);
else await serve();

async function serve() {
  const started = performance.now();
  const answer = JSON.stringify({ Key: '/blobs/orders/common/digest/hash' });
  let port;
  if (mode === 'fastify') {
    const { default: Fastify } = await import('fastify');
    // As `buildApp` in sidecar/src/http/app.ts: no schemas, no log of requests.
    const none = () => {
      throw new Error('no schemas');
    };
    const app = Fastify({
      schemaController: { compilersFactory: { buildValidator: none, buildSerializer: none } },
    });
    app.put('/v2/blobs/put', (_request, reply) => reply.type('application/json').send(answer));
    app.get('/v2/blobs/get', (_request, reply) => reply.type('application/json').send(answer));
    await app.listen({ port: 0, host: '127.0.0.1' });
    port = app.server.address().port;
  } else {
    const server = createServer((incoming, response) => {
      const { pathname } = new URL(incoming.url, 'http://service');
      response.statusCode = pathname === '/v2/blobs/get' ? 200 : 404;
      response.setHeader('content-type', 'application/json').end(answer);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = server.address().port;
  }
  const { rss } = process.memoryUsage();
  process.send({ port, startMs: performance.now() - started, rss });
  process.on('message', () => process.send(process.cpuUsage()));
}

async function measure(each) {
  const child = spawn(process.execPath, [import.meta.filename, each], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [{ port, startMs, rss }] = await once(child, 'message');
  const cpu = async () => {
    child.send('cpu');
    const [{ user, system }] = await once(child, 'message');
    return user + system;
  };
  await load(port, REQUESTS / 4);
  const before = await cpu();
  await load(port, REQUESTS);
  const perRequest = ((await cpu()) - before) / REQUESTS;
  console.log(
    `${each.padEnd(8)} load and listen ${startMs.toFixed(0)} ms, RSS ${(rss / 2 ** 20).toFixed(1)} MiB,`,
    `${perRequest.toFixed(0)} µs of CPU a request`,
  );
  child.kill();
  await once(child, 'exit');
}

async function load(port, requests) {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  let left = requests;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (left-- > 0) {
        await new Promise((resolve, reject) => {
          const call = request({ port, host: '127.0.0.1', path: '/v2/blobs/get?key=x', agent }, (answer) =>
            answer.resume().once('end', resolve),
          );
          call.once('error', reject).end();
        });
      }
    }),
  );
  agent.destroy();
}
