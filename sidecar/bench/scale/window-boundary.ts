import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { markdownTable, percent } from '@largepayload/testing/benchmarks/markdown-table';
import { writeCredentials } from '@largepayload/testing/s3-servers/s3-server';
import type { Driver } from '../../src/drivers/driver.ts';
import { startS3Driver } from '../../src/drivers/s3/start-s3-driver.ts';
import { StorageError } from '../../src/errors/storage-error.ts';
import { objectNames } from '../../src/keys/object-name.ts';
import { KeyPartitions } from './key-partitions.ts';
import { startThrottlingServer } from './throttling-server.ts';

/** of a partition, as Amazon publishes it: docs/scale.md cites it */
const S3_PUTS_PER_SECOND = 3_500;
/** All rates are divided by it, so that one machine can be client and server; only their ratios matter. */
const SCALE = 500;
/** S3 takes minutes; the retries of a PUT end after 5 s, so that the states before and after do not depend on it. */
const SPLIT_AFTER_MS = 24_000;
const OLD_WINDOW_MS = 4_000;
const NEW_WINDOW_MS = 40_000;
/** ms after the boundary; before them a partition uses up what it saved, after them it is split */
const OVERLOADED = [3_000, 18_000] as const;
/** ms after the boundary by which a partition is split, and the retries of its overload are over */
const SPLIT_MS = 33_000;
const DAY = 86_400_000;
const WINDOWS = [Date.UTC(2026, 11, 24), Date.UTC(2026, 11, 25)].map((end) => ({ end, ttl: 30 * DAY }));

const nameIn = (window: number, digest: string) =>
  objectNames({
    ...{ window: WINDOWS[window], namespace: 'bench', keyPrefix: undefined },
    ...{ digest, metadataHash: digest },
  })[0];

/** Names in window 0 or 1. The digit at which S3 has split window 0 follows `splitBehind`. */
const AS_IT_IS = { nameIn, splitBehind: nameIn(0, 'sha256:').replace(/(?<=sha256:).*/, '') };
const DIGIT_FIRST = {
  nameIn: (window: number, digest: string) => `${digest.at(-1)}/${nameIn(window, digest)}`,
  splitBehind: '',
};
/** PUTs a second, as S3 would see them. */
const RUNS: readonly (readonly [name: string, layout: typeof AS_IT_IS, load: number])[] = [
  ...[500, 2_000, 3_500, 5_000, 6_000].map((load) => ['the window, as it is', AS_IT_IS, load] as const),
  ...[5_000, 6_000].map((load) => ['a part before the window', DIGIT_FIRST, load] as const),
];

interface Put {
  /** ms after the boundary */
  readonly at: number;
  readonly ms: number;
  readonly attempts: number;
  readonly isStored: boolean;
}

/** What happens to PUTs of the driver when a window begins, for two layouts of the keys. A Markdown table. */
export async function windowBoundaryTable(): Promise<string> {
  const rows = RUNS.map(async ([name, layout, load]) => [
    name,
    load.toLocaleString('en'),
    (load / S3_PUTS_PER_SECOND).toFixed(2),
    ...cellsOf(await run(layout, load)),
  ]);
  const head = [
    'the key begins with',
    'PUT/s',
    'of the rate',
    'old window: failed',
    'new window: delayed',
    'failed',
    'p99',
    'requests a PUT',
    'after a split: failed',
  ];
  return markdownTable(head, await Promise.all(rows));
}

function cellsOf(puts: readonly Put[]): string[] {
  const during = (from: number, to: number) => puts.filter(({ at }) => at >= from && at < to);
  const failed = (some: readonly Put[]) => percent(some.filter((put) => !put.isStored).length / some.length);
  const fresh = during(...OVERLOADED);
  const times = fresh.map(({ ms }) => ms).sort((a, b) => a - b);
  return [
    failed(during(-OLD_WINDOW_MS, 0)),
    percent(fresh.filter(({ attempts }) => attempts > 1).length / fresh.length),
    failed(fresh),
    `${((times[Math.floor(times.length * 0.99)] ?? 0) / 1_000).toFixed(1)} s`,
    (fresh.reduce((sum, { attempts }) => sum + attempts, 0) / fresh.length).toFixed(1),
    failed(during(SPLIT_MS, NEW_WINDOW_MS)),
  ];
}

/** Starts PUTs evenly, without waiting for earlier ones. */
async function run(layout: typeof AS_IT_IS, load: number): Promise<readonly Put[]> {
  const rules = { putsPerSecond: S3_PUTS_PER_SECOND / SCALE, splitAfterMs: SPLIT_AFTER_MS };
  const boundaries = load > S3_PUTS_PER_SECOND ? [`${layout.splitBehind}8`] : [];
  const partitions = new KeyPartitions(rules, boundaries, performance.now());
  const server = await startThrottlingServer((key) => partitions.takes(key, performance.now()));
  const folder = mkdtempSync(join(tmpdir(), 'window-boundary-'));
  const location = { bucket: 'bench', endpoint: server.endpoint, prefix: '', forcePathStyle: true };
  const { driver } = await startS3Driver(location, writeCredentials(folder));
  const boundary = performance.now() + OLD_WINDOW_MS;
  const put = async (at: number): Promise<Put> => {
    await sleep(Math.max(0, boundary + at - performance.now()));
    const body = Buffer.from(`payload at ${at}`);
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
    const name = layout.nameIn(at < 0 ? 0 : 1, digest);
    const started = performance.now();
    const isStored = await store(driver, name, body, digest);
    return { at, ms: performance.now() - started, attempts: server.attemptsOf(name), isStored };
  };
  try {
    const intervalMs = (1_000 * SCALE) / load;
    const count = Math.floor((OLD_WINDOW_MS + NEW_WINDOW_MS) / intervalMs);
    return await Promise.all(
      Array.from({ length: count }, (_, index) => put(index * intervalMs - OLD_WINDOW_MS)),
    );
  } finally {
    await driver.close();
    server.stop();
    rmSync(folder, { recursive: true });
  }
}

/** @returns false when the storage still asked for fewer requests after the driver's last retry */
async function store(driver: Driver, name: string, body: Buffer, digest: string): Promise<boolean> {
  const { signal } = new AbortController();
  try {
    const writer = await driver.begin(name, { size: body.length, digest }, { signal });
    await writer.write(body);
    await writer.commit();
    return true;
  } catch (error) {
    if (error instanceof StorageError && error.failure === 'throttled') return false;
    throw error;
  }
}
