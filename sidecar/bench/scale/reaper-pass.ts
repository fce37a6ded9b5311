import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { markdownTable } from '@largepayload/testing/benchmarks/markdown-table';
import { ObjectStoreDriver } from '../../src/drivers/object-store/object-store-driver.ts';
import { type ExpiryWindow, windowForPut, windowWidth } from '../../src/keys/window.ts';
import { timedPass } from '../filesystem/reaping.ts';
import { SimulatedBucket } from './simulated-bucket.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const STORED = 100_000_000;
/** of gateway and reaper, ms */
const CLOCK_TOLERANCE_MS = 60_000;
/** US dollars for 1,000 LIST requests, S3 Standard in us-east-1: docs/scale.md cites it; DELETE is free */
const LIST_PRICE = 0.005;
const LISTINGS_BETWEEN_LOOKS = 25;
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
const TTLS = { '1h': HOUR, '1d': DAY, '7d': 7 * DAY, '30d': 30 * DAY, '90d': 90 * DAY, '3650d': 3_650 * DAY };

/** What passes of the reaper cost beside 10^8 stored payloads, by TTL, and by what has expired. Two Markdown tables. */
export async function reaperPassTables(): Promise<string> {
  const byTtl: string[][] = [];
  for (const [name, ttl] of Object.entries(TTLS)) {
    const windows = storedWindows(ttl);
    const payloads = Math.round(STORED / windows.length);
    const pages = Math.ceil(payloads / 1_000);
    const width = windowWidth(ttl) / HOUR;
    const { requests } = await passOver(new SimulatedBucket(windows, payloads));
    byTtl.push([
      ...[name, width < 1 ? `${width * 60} min` : width < 24 ? `${width} h` : `${width / 24} d`],
      ...[`${windows.length}`, payloads.toLocaleString('en'), `${requests.list} LIST`],
      // Two more requests find the window and its namespaces.
      ...[requestsOf({ list: pages + 2, delete: pages }), dollars(pages + 2)],
    ]);
  }
  const byExpired: string[][] = [];
  for (const payloads of [100_000, 1_000_000]) {
    const expired = { end: Math.floor(Date.now() / DAY) * DAY - DAY, ttl: 30 * DAY };
    const { requests, deleted, cpuSeconds, memory } = await passOver(
      new SimulatedBucket([expired], payloads),
    );
    if (deleted !== payloads) throw new Error(`${deleted} of ${payloads} payloads were deleted`);
    byExpired.push([
      ...[payloads.toLocaleString('en'), requestsOf(requests)],
      ...[`${cpuSeconds.toFixed(1)} s`, `${(memory / 1024 ** 2).toFixed(1)} MiB`, dollars(requests.list)],
    ]);
  }
  const head = [
    'TTL',
    'a window lasts',
    'windows at a time',
    'payloads in a window',
    'pass, nothing expired',
  ];
  return [
    markdownTable([...head, 'pass that deletes a window', 'its price'], byTtl),
    markdownTable(
      ['payloads deleted', 'requests', 'processor time', 'live memory beside idle', 'price'],
      byExpired,
    ),
  ].join('\n\n');
}

/** The windows that have payloads while a store takes PUTs all the time and expired payloads are deleted. */
function storedWindows(ttl: number): ExpiryWindow[] {
  const width = windowWidth(ttl);
  const { end } = windowForPut(Date.now(), ttl, CLOCK_TOLERANCE_MS);
  const count = windowForPut(0, ttl, CLOCK_TOLERANCE_MS).end / width;
  return Array.from({ length: count }, (_, index) => ({ end: end - index * width, ttl }));
}

async function passOver(bucket: SimulatedBucket) {
  const cpu = process.cpuUsage();
  const idle = liveMemory();
  let most = idle;
  bucket.onList = () => {
    if (bucket.requests.list % LISTINGS_BETWEEN_LOOKS === 0) most = Math.max(most, liveMemory());
  };
  await timedPass(new ObjectStoreDriver(bucket, { prefix: '' }));
  const { user, system } = process.cpuUsage(cpu);
  const { requests, deleted } = bucket;
  return { requests, deleted, cpuSeconds: (user + system) / 1e6, memory: most - idle };
}

/** Bytes of the heap without garbage. */
function liveMemory(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function requestsOf(requests: SimulatedBucket['requests']): string {
  return `${requests.list.toLocaleString('en')} LIST, ${requests.delete.toLocaleString('en')} DELETE`;
}

function dollars(lists: number): string {
  return `$${((lists / 1_000) * LIST_PRICE).toFixed(5)}`;
}
