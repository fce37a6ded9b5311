import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync } from 'node:fs';
import { readdir, statfs, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobFacts } from '../../bytes/blob-facts.ts';
import { bytesOf, sourceOf } from '../../bytes/byte-streams.ts';
import { writeAll } from '../../bytes/object-writer.ts';
import { StorageError } from '../../errors/storage-error.ts';
import { FilesystemDriver } from './filesystem-driver.ts';

// Run in processes of their own by own-process.fixture.ts, so nothing of vitest is at hand here.

const never = () => new AbortController().signal;
const nameOf = (seed: string | number) => {
  const digest = createHash('sha256').update(String(seed)).digest('hex');
  return `expires-20400101T000000Z-30d/orders/common/sha256:${digest}/sha256:${'0'.repeat(64)}`;
};

/** Which files exist below the folder, objects and temporary ones. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
}

function someBytes(seed: string | number, size: number): Buffer {
  return Buffer.alloc(size, `${seed} `);
}

async function put(driver: FilesystemDriver, seed: string | number, size: number): Promise<string> {
  const bytes = someBytes(seed, size);
  const facts: BlobFacts = { size, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
  const body = function* () {
    for (let from = 0; from < size; from += 65_536) yield bytes.subarray(from, from + 65_536);
  };
  const write = async () =>
    writeAll(sourceOf(body()), await driver.begin(nameOf(seed), facts, { signal: never() }));
  return await outcome(write());
}

/** What it resolves with, or how it fails: `full: …`, `unavailable: …`. */
async function outcome<T>(promise: Promise<T>): Promise<T | string> {
  try {
    return await promise;
  } catch (error) {
    return error instanceof StorageError
      ? `${error.failure}: ${error.message}`
      : `not a StorageError: ${error}`;
  }
}

async function readable(driver: FilesystemDriver, seed: string, size: number): Promise<boolean> {
  const blob = await driver.open(nameOf(seed), never());
  return blob !== undefined && (await bytesOf(blob)).equals(someBytes(seed, size));
}

/** The time it tells, and tells a second later: how far it is from ours, and how long it took (ms). */
async function told(driver: FilesystemDriver): Promise<[difference: number, passed: number]> {
  const first = await driver.currentTime(never());
  const difference = Math.abs(Date.now() - first);
  await sleep(1_000);
  return [difference, (await driver.currentTime(never())) - first];
}

const MIB = 1024 * 1024;

const scenarios = {
  /** On 8 MiB of disk. */
  async fullDisk(folder: string) {
    const driver = await FilesystemDriver.start(folder);
    const first = await put(driver, 'first', 5 * MIB);
    const tooLarge = await put(driver, 'too large', 6 * MIB);
    const files = await filesBelow(folder);
    const smaller = await put(driver, 'smaller', MIB);
    const concurrent = await Promise.all([1, 2, 3, 4, 5].map((seed) => put(driver, seed, MIB)));
    const intact = await readable(driver, 'first', 5 * MIB);
    const { deleted } = await driver.delete([nameOf('first')], never());
    const afterwards = await put(driver, 'too large', 5 * MIB - 65_536);
    await driver.close();
    return { first, tooLarge, files, smaller, concurrent, intact, deleted: deleted.length, afterwards };
  },

  /** On a disk with a few dozen inodes: each object takes two of them. */
  async noMoreFiles(folder: string) {
    const driver = await FilesystemDriver.start(folder);
    let stored = 0;
    let last = 'created';
    while (last === 'created') {
      last = await put(driver, stored, 10);
      if (last === 'created') stored += 1;
    }
    // An object may not fit where a temporary file still does.
    const free = (await statfs(folder)).ffree;
    for (const index of numbers(free)) await writeFile(`${folder}/somebody-elses-${index}`, '');
    const full = await put(driver, 'one more', 10);
    const times = [await told(driver)];
    // As after a kill: what the first one has there does not go.
    const second = await FilesystemDriver.start(folder);
    const fullForSecond = await put(second, 'one more', 10);
    times.push(await told(second));
    const hit = await put(second, 0, 10);
    const { deleted } = await second.delete(numbers(8).map(nameOf), never());
    const afterwards = [await put(second, 'new', 10), await put(driver, 'another', 10)];
    await second.close();
    await driver.close();
    return { stored, last, full, fullForSecond, times, hit, deleted: deleted.length, afterwards };
  },

  /** On a disk that becomes read-only. */
  async readOnly(folder: string) {
    const driver = await FilesystemDriver.start(folder);
    await put(driver, 'before', 10);
    execFileSync('mount', ['-o', 'remount,bind,ro', folder]);
    return {
      put: await put(driver, 'after', 10),
      hit: await put(driver, 'before', 10),
      readable: await readable(driver, 'before', 10),
      time: await outcome(driver.currentTime(never())),
      failed: (await driver.delete([nameOf('before')], never())).failed.length,
      start: await outcome(FilesystemDriver.start(folder)),
    };
  },

  /** Puts the same 40 objects as its neighbours and 40 of its own. */
  async putMany(folder: string, own: string) {
    const driver = await FilesystemDriver.start(folder);
    const shared = await Promise.all(numbers(40).map((seed) => put(driver, seed, 100_000 + seed)));
    const owned = await Promise.all(numbers(40).map((seed) => put(driver, `${own}-${seed}`, 100_000)));
    await driver.close();
    return { shared, owned };
  },

  /** A new object, then the same one in a driver that knows nothing yet. Paths that do not exist mark the steps for strace. */
  async durability(folder: string) {
    const first = await FilesystemDriver.start(folder);
    step('create');
    await put(first, 'one', 10);
    step('neighbour');
    await put(first, 'two', 10);
    await first.close();
    const second = await FilesystemDriver.start(folder);
    step('hit');
    await put(second, 'one', 10);
    step('replace');
    await put(second, 'one', 11);
    step('end');
    await second.close();
    return {};
  },

  /** Puts into a folder that is there, and reads by a driver that knows nothing yet. Marked as `durability`. */
  async systemCalls(folder: string) {
    const first = await FilesystemDriver.start(folder);
    await put(first, 'one', 10);
    step('put-128k');
    await put(first, 'two', 128 * 1024);
    step('put-1m');
    await put(first, 'three', MIB);
    step('hit-1m');
    await put(first, 'three', MIB);
    step('others');
    const second = await FilesystemDriver.start(folder);
    step('get-1m');
    await readable(second, 'three', MIB);
    step('get-1m-again');
    await readable(second, 'three', MIB);
    step('end');
    await second.close();
    await first.close();
    return {};
  },
};

/** Shows in the trace of strace where a step begins. */
function step(name: string): void {
  try {
    accessSync(`/step-${name}`);
  } catch {}
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

const [, , scenario = '', ...args] = process.argv;
const chosen = scenarios[scenario as keyof typeof scenarios] as (...args: string[]) => Promise<unknown>;
process.stdout.write(JSON.stringify(await chosen(...args)));
