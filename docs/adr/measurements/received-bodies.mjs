// node docs/adr/measurements/received-bodies.mjs: what a server pays that receives bodies, hashes them and sends them on, if it
// keeps Node's chunks, frees them after they were sent, or copies them into a buffer and frees each at once.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';

const SIZES = [128 * 1024, 1024 * 1024, 4 * 1024 * 1024];
const MODES = ['kept', 'kept, then freed', 'copied'];
const CLIENTS = 4;
const ROUNDS = 5;
const ROUND_BYTES = 256 * 1024 * 1024;

const [mode, sinkPort] = process.argv.slice(2);
if (mode === undefined) await measure();
else if (mode === 'sink') announce(createServer((socket) => socket.on('error', () => {}).resume()));
else serve();

function announce(server) {
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}

function serve() {
  setFlagsFromString('--semi-space-growth-factor=1');
  const idle = [];
  const pool = [];
  const sending = (buffers, sent) => {
    const socket = idle.pop() ?? connect(Number(sinkPort), '127.0.0.1').on('error', () => {});
    const last = buffers.at(-1);
    socket.cork();
    for (const buffer of buffers) socket.write(buffer, buffer === last ? done : undefined);
    socket.uncork();
    function done() {
      idle.push(socket);
      sent();
    }
  };
  const server = createHttpServer((request, response) => {
    if (request.method === 'GET') {
      const { user, system } = process.cpuUsage();
      const peak = process.resourceUsage().maxRSS / 1024;
      response.end(JSON.stringify({ seconds: (user + system) / 1e6, peak }));
      return;
    }
    const size = Number(request.headers['content-length']);
    const hash = createHash('sha256');
    const chunks = [];
    const body = mode === 'copied' ? (pool.pop() ?? Buffer.allocUnsafeSlow(SIZES.at(-1))) : undefined;
    let filled = 0;
    request.on('data', (chunk) => {
      hash.update(chunk);
      if (body === undefined) {
        chunks.push(chunk);
        return;
      }
      filled += chunk.copy(body, filled);
      chunk.buffer.transfer(0);
    });
    request.on('end', () => {
      hash.digest();
      sending(body === undefined ? chunks : [body.subarray(0, size)], () => {
        if (body !== undefined) pool.push(body);
        if (mode === 'kept, then freed') for (const chunk of chunks) chunk.buffer.transfer(0);
        response.writeHead(201, { 'Content-Length': 2 }).end('ok');
      });
    });
  });
  announce(server);
}

async function measure() {
  const sink = await start('sink');
  const servers = [];
  for (const each of MODES) servers.push(await start(each, String(sink.port)));
  for (const size of SIZES) {
    const seconds = MODES.map(() => []);
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [index, { port }] of servers.entries()) {
        const before = await costs(port);
        await load(port, size);
        const used = ((await costs(port)).seconds - before.seconds) * (1024 ** 3 / ROUND_BYTES);
        if (round > 0) seconds[index].push(used);
      }
    }
    for (const [index, { port }] of servers.entries()) {
      const median = seconds[index].sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
      const { peak } = await costs(port);
      console.log(
        `${size / 1024} KiB, ${MODES[index]}: ${median.toFixed(2)} s/GiB, peak ${peak.toFixed(0)} MiB`,
      );
    }
  }
  for (const { child } of [sink, ...servers]) child.kill();
}

async function start(...args) {
  const child = spawn(process.execPath, [import.meta.filename, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, port: Number(line) };
}

async function costs(port) {
  return await (await fetch(`http://127.0.0.1:${port}/`)).json();
}

async function load(port, size) {
  const body = Buffer.alloc(size, 'large payload ');
  const head = `PUT / HTTP/1.1\r\nHost: bench\r\nContent-Length: ${size}\r\n\r\n`;
  let left = ROUND_BYTES / size;
  const client = async () => {
    const socket = connect(port, '127.0.0.1').setNoDelay();
    while (left > 0) {
      left -= 1;
      socket.cork();
      socket.write(head);
      socket.write(body);
      socket.uncork();
      await once(socket, 'data');
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}
