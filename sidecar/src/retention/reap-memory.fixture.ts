import { mkdirSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { FilesystemDriver } from '../drivers/filesystem/filesystem-driver.ts';
import { Metrics } from '../operations/metrics.ts';
import { clockOfNewStore } from '../storage-records/clock/clock.fixture.ts';
import { OwnershipGuard } from '../storage-records/ownership/ownership-guard.ts';
import { Reaper } from './reaper.ts';

// Run in a process of its own by reap-memory.test.ts, so that nothing else takes memory.

const [, , folder = '', count = ''] = process.argv;
const WINDOW = 'expires-20200101T000000Z-30d';
const DIGEST = `sha256:${'0'.repeat(64)}`;

const driver = await FilesystemDriver.start(folder);
// Written without the driver, whose fsyncs are not what is measured.
for (let index = 0; index < Number(count); index += 1) {
  const path = join(folder, WINDOW, 'orders', 'custom', 'wf', String(index));
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, `${DIGEST}.${DIGEST}`), 'x');
}

const collect = globalThis.gc ?? (() => {});
const metrics = new Metrics({ requests: () => 0, bytes: () => 0 });
const ownership = new OwnershipGuard(async () => 'test/test', 0);
const reaper = new Reaper(
  { driver, ...clockOfNewStore(driver), ownership, metrics, log: pino({ level: 'silent' }) },
  { intervalMs: 1_000, clockToleranceMs: 0 },
);
collect();
const before = process.memoryUsage();
let heap = 0;
const reallyDelete = driver.delete.bind(driver);
driver.delete = async (names, signal) => {
  collect();
  heap = Math.max(heap, process.memoryUsage().heapUsed - before.heapUsed);
  return await reallyDelete(names, signal);
};
await reaper.pass(new AbortController().signal);
const resident = process.memoryUsage().rss - before.rss;
const left = (await readdir(folder)).filter((name) => name === WINDOW).length;
await driver.close();
process.stdout.write(JSON.stringify({ heap, resident, left }));
