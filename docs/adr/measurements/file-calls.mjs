// node docs/adr/measurements/file-calls.mjs [BYTES] [CLIENTS]: what reading a file costs by each kind of calls of Node.
process.env.UV_THREADPOOL_SIZE ??= '16';

import * as fs from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROUNDS = 5;
const READS = 2_000;
const [bytes = 128 * 1024, clients = 4] = process.argv.slice(2).map(Number);

const folder = fs.mkdtempSync(join(tmpdir(), 'file-calls-'));
const paths = Array.from({ length: 200 }, (_, index) => join(folder, String(index)));
for (const path of paths) fs.writeFileSync(path, Buffer.alloc(bytes, 'x'));

const spare = [];
const pooled = {
  open: promisify(fs.open),
  fstat: promisify(fs.fstat),
  read: promisify(fs.read),
  close: promisify(fs.close),
};

/** Reads by the given open and fstat; the close is not waited for where `closesLate`. */
async function readBy(openFile, fstat, path, closesLate = true) {
  const descriptor = await openFile(path, 'r');
  const { size } = await fstat(descriptor);
  const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(bytes);
  await pooled.read(descriptor, buffer, 0, size, null);
  const closing = pooled.close(descriptor);
  if (closesLate) closing.catch(() => {});
  else await closing;
  spare.push(buffer);
}

const variants = {
  'FileHandle, new buffer': async (path) => {
    const file = await open(path);
    const { size } = await file.stat();
    await file.read(Buffer.allocUnsafeSlow(size), 0, size, null);
    await file.close();
  },
  'FileHandle, kept buffer': async (path) => {
    const file = await open(path);
    const { size } = await file.stat();
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(bytes);
    await file.read(buffer, 0, size, null);
    await file.close();
    spare.push(buffer);
  },
  'callbacks, kept buffer': (path) => readBy(pooled.open, pooled.fstat, path, false),
  'the same, close beside the next step': (path) => readBy(pooled.open, pooled.fstat, path),
  'the same, fstat synchronous': (path) => readBy(pooled.open, fs.fstatSync, path),
  'the same, open and fstat synchronous': (path) => readBy(fs.openSync, fs.fstatSync, path),
  'all synchronous': async (path) => {
    const descriptor = fs.openSync(path, 'r');
    const { size } = fs.fstatSync(descriptor);
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(bytes);
    fs.readSync(descriptor, buffer, 0, size, null);
    fs.closeSync(descriptor);
    spare.push(buffer);
  },
};

const costs = new Map(Object.keys(variants).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, read] of Object.entries(variants)) {
    const before = process.cpuUsage();
    const queue = Array.from({ length: READS }, (_, index) => paths[index % paths.length]).values();
    const work = async () => {
      for (const path of queue) await read(path);
    };
    await Promise.all(Array.from({ length: clients }, work));
    const { user, system } = process.cpuUsage(before);
    costs.get(name).push((user + system) / READS);
  }
}
for (const [name, each] of costs) {
  const median = each.toSorted((a, b) => a - b)[ROUNDS >> 1];
  console.log(`${name.padEnd(40)} ${median.toFixed(0).padStart(5)} µs of processor time a read`);
}
fs.rmSync(folder, { recursive: true });
