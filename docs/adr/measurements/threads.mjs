// node docs/adr/measurements/threads.mjs [THREADS]: memory of a process in which so many worker threads each run the built
// program as a gateway on a folder, and how evenly the kernel spreads connections over listeners that share a port.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const PROGRAM = join(import.meta.dirname, '../../../sidecar/dist/payload-store/main.cjs');

const threads = Number(process.argv[2] ?? 2);
const folder = mkdtempSync(join(tmpdir(), 'threads-'));
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
const config = join(folder, 'store.yaml');
writeFileSync(
  config,
  'apiVersion: largepayload.dev/v1alpha1\nkind: LargePayloadStore\nmetadata: {name: threads}\n' +
    'spec: {storage: {filesystem: {claimName: threads}}, retention: {ttl: 30d}}\n',
);
const ports = ['--listen', '--metrics-listen', '--admin-listen'].flatMap((name) => [name, '127.0.0.1:0']);
const argv = ['serve', '--role', 'gateway', '--config', config, '--data-dir', join(folder, 'data'), ...ports];
console.log(`without threads: ${rss().toFixed(1)} MiB`);
for (let thread = 1; thread <= threads; thread++) {
  new Worker(PROGRAM, { argv, stdout: true });
  await sleep(10_000);
  console.log(`${thread} of them: ${rss().toFixed(1)} MiB`);
}
for (const connections of [2, 4, 8, 32]) {
  const busiest = [];
  for (let round = 0; round < 20; round++) busiest.push(await busiestShare(threads, connections));
  const mean = busiest.reduce((sum, share) => sum + share, 0) / busiest.length;
  console.log(
    `${connections} connections: the busiest of ${threads} listeners has ${Math.round(mean * 100)} %`,
  );
}
rmSync(folder, { recursive: true, force: true });
process.exit();

/** The share of the listener that got most of so many connections. */
async function busiestShare(listeners, connections) {
  const counts = Array.from({ length: listeners }, () => 0);
  let port = 0;
  const servers = [];
  for (const index of counts.keys()) {
    const server = createServer(() => counts[index]++);
    await new Promise((listening) => server.listen({ port, host: '127.0.0.1', reusePort: true }, listening));
    port = server.address().port;
    servers.push(server);
  }
  const sockets = [];
  for (let number = 0; number < connections; number++) {
    const socket = connect(port, '127.0.0.1');
    await new Promise((connected) => socket.on('connect', connected));
    sockets.push(socket);
  }
  await sleep(20);
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  return Math.max(...counts) / connections;
}
