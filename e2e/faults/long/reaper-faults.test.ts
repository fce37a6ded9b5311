import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { FaultRule } from '@largepayload/testing/fault-proxy/fault-rules';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameOfKey, namesIn, OWN } from '../bucket-check.fixture.ts';
import { Ledger } from '../ledger.fixture.ts';
import { runLoad } from '../load.fixture.ts';
import { peakMemory } from '../metrics.fixture.ts';
import { runs } from '../runs.fixture.ts';
import { type RunningStore, StoreBed } from '../store.fixture.ts';

const TTL = 8_000;
/** ms that the faults last: several windows expire meanwhile */
const DURATION = 25_000;
/** ms from the last acknowledgement until everything has gone: TTL, D, W, the reaper's interval, and a pass that hangs */
const ALL_GONE = 60_000;
const MEMORY_LIMIT = 192 * 1024 * 1024;

/** Only the first rule that matches a request applies. There is about one deletion a second. */
const ON_ITS_WAY: readonly FaultRule[] = [
  { kind: 'partialDelete', probability: 0.3 },
  { kind: 'loseReply', probability: 0.3, on: ['delete'] },
  { kind: 'resetRequest', probability: 0.3, on: ['delete'] },
  { kind: 'truncate', probability: 0.1, on: ['list'] },
  { kind: 'resetResponse', probability: 0.1, on: ['list'] },
  { kind: 'error500', probability: 0.03, on: ['list', 'delete'], burst: 8 },
  { kind: 'slowDown', probability: 0.03, on: ['list', 'delete'], burst: 8 },
  { kind: 'latency', probability: 0.5, upToMs: 500, on: ['list', 'delete'] },
];

/** Names outside of our windows, which the reaper must leave alone. */
const FOREIGN = ['notes/readme', 'expires-soon/x', 'expires-20200101T000000Z/x'];

describe.each(runs)('the reaper, faults on its way to $server, seed $seed', ({ server, start, seed }) => {
  let bed: StoreBed;
  let store: RunningStore;
  const ledger = new Ledger();
  /** acknowledged within the TTL, and not in the bucket */
  const missing: string[] = [];
  let looks = 0;

  beforeAll(async () => {
    bed = await StoreBed.open(start, seed);
    store = await bed.startStore({ name: 'reaped', ttl: `${TTL / 1_000}s`, reaperInterval: '1s' });
    const { client, bucket, prefix } = store.objects;
    for (const name of FOREIGN) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: prefix + name, Body: 'kept' }));
    }
  });
  afterAll(() => bed?.close());

  test('the reaper deletes no payload before its TTL has passed', async () => {
    await bed.proxy.inject(...ON_ITS_WAY);
    const ended = new AbortController();
    const looking = lookForTheLiving(ended.signal);
    await runLoad({
      ...{ url: store.service.url, ledger, seed, duration: DURATION, earlier: [] },
      sizeOf: (id) => ({ id, size: 130_000 + (id % 97) }),
    });
    ended.abort();
    await looking;
    await bed.proxy.inject();
    expect(missing).toEqual([]);
    expect(looks).toBeGreaterThan(5);
    expect(ledger.wrong).toEqual([]);
    expect(ledger.acknowledged.length).toBeGreaterThan(50);
  });

  test('the reaper deletes all expired payloads, and no other object', async () => {
    const left = await eventualValue(async () => {
      const names = [...(await namesIn(store.objects))].filter((name) => !OWN.includes(name)).sort();
      return names.length === FOREIGN.length ? names : undefined;
    }, ALL_GONE);
    expect(left).toEqual([...FOREIGN].sort());
    const { faults } = await bed.proxy.observed();
    const unmet = ON_ITS_WAY.map(({ kind }) => kind).filter((kind) => faults[kind] === undefined);
    expect(unmet.length, `faults that fell on nothing: ${unmet}`).toBeLessThan(ON_ITS_WAY.length / 2);
    expect(faults.partialDelete).toBeGreaterThan(0);
    const deleted = await store.service.sum('payload_store_cleanup_deleted_total');
    const keys = new Set(ledger.acknowledged.map(({ key }) => key));
    const failedPasses = await store.service.sum(FAILED_PASSES);
    expect(peakMemory(store.service)).toBeLessThan(MEMORY_LIMIT);
    console.log(
      `reaper on ${server}, again with E2E_SEED=${seed}: ${keys.size} objects acknowledged, ${deleted} counted as deleted, ` +
        `${failedPasses} passes failed; faults ${JSON.stringify(faults)}; lived too short: ${missing.length} of ${looks} looks`,
    );
  });

  /** Checks the bucket over and over for all payloads that were acknowledged less than their TTL ago. */
  async function lookForTheLiving(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const known = [...ledger.acknowledged];
      const names = await namesIn(store.objects);
      const listed = Date.now();
      looks += 1;
      for (const { key, at } of known) {
        if (at + TTL > listed && !names.has(nameOfKey(key))) missing.push(key);
      }
      await sleep(500);
    }
  }
});

const FAILED_PASSES = 'payload_store_reaper_passes_total{result="failed"}';
