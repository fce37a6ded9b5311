import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { damagedAmong, namesIn, OWN } from './bucket-check.fixture.ts';
import type { Acknowledged } from './ledger.fixture.ts';
import { type Outcome, runScenario } from './run-scenario.fixture.ts';
import type { Run } from './runs.fixture.ts';
import type { Scenario } from './scenarios.fixture.ts';
import { type RunningStore, StoreBed } from './store.fixture.ts';
import { tableOf } from './table.fixture.ts';

const MEMORY_LIMIT = 192 * 1024 * 1024;
/** seconds; the codec begins no try after 8, and waits 7 without a byte for the answer of the last one */
const LONGEST_OPERATION = 20;
/** seconds; a client without a codec waits for the service: 5 of tries, 8 for the last one's answer, 30 without a byte of it */
const LONGEST_REQUEST_OF_CLIENT = 45;
/** seconds; a request may wait for a check of the storage that has just begun: 5 of tries, 8 for the last one's answer */
const LONGEST_RECOVERY = 15;
/** ms; a request to S3 waits at most 30 s for its answer */
const LONGEST_REQUEST_TO_S3 = 40_000;

/** Tests that two stores, one with a TTL and one without, lose nothing while each scenario lasts, and recover when it ends. */
export function describeFaultRuns(runs: readonly Run[], scenarios: readonly Scenario[]): void {
  describe.each(runs)('faults between the service and $server, seed $seed', ({ server, start, seed }) => {
    let bed: StoreBed;
    let stores: readonly RunningStore[] = [];
    const kept = new Map<RunningStore, Acknowledged[]>();
    const outcomes: Outcome[] = [];

    beforeAll(async () => {
      bed = await StoreBed.open(start, seed);
      stores = [
        await bed.startStore({ name: 'expiring', ttl: '1h', reaperInterval: '1s' }),
        await bed.startStore({ name: 'forever', ttl: 'Forever' }),
      ];
      for (const store of stores) kept.set(store, []);
    });

    afterAll(async () => {
      await bed?.close();
      console.log(
        `\nFaults between the service and ${server}; again with E2E_SEED=${seed}\n${tableOf(outcomes)}\n`,
      );
    });

    test.for(scenarios)('$name: nothing is lost, and the service recovers', async (scenario) => {
      const outcome = await runScenario(scenario, { stores, proxy: bed.proxy, seed, kept });
      outcomes.push(outcome);
      expect(outcome.lost).toEqual([]);
      expect(outcome.wrong).toEqual([]);
      const kinds = new Set([
        ...scenario.rules.map(({ kind }) => kind),
        ...(scenario.refusedFor ? ['refused'] : []),
      ]);
      if (kinds.size === 1) expect(Object.keys(outcome.injected)).toEqual([...kinds]);
      if (kinds.size > 1) expect(Object.keys(outcome.injected).length).toBeGreaterThan(kinds.size / 2);
      if (kinds.size === 0) expect(outcome.failures).toEqual(new Map());
      if (scenario.unready) expect(outcome.unready).toBeGreaterThan(0);
      expect(outcome.acknowledged).toBeGreaterThan(0);
      expect(outcome.recovery).toBeLessThan(LONGEST_RECOVERY);
      expect(outcome.slowest).toBeLessThan(LONGEST_OPERATION);
      expect(outcome.slowestRaw).toBeLessThan(LONGEST_REQUEST_OF_CLIENT);
      expect(outcome.slowestProbe).toBeLessThan(LONGEST_REQUEST_OF_CLIENT);
      expect(outcome.peakMemory).toBeLessThan(MEMORY_LIMIT);
    });

    test('every object in the bucket has the bytes that its name promises, and every acknowledged payload is there', async () => {
      for (const store of stores) {
        const names = await namesIn(store.objects);
        for (const own of OWN) names.delete(own);
        expect(await damagedAmong(store.objects, names)).toEqual([]);
        const acknowledged = kept.get(store) ?? [];
        expect(acknowledged.length).toBeGreaterThan(0);
        expect(acknowledged.map(({ key }) => key.slice(1)).filter((name) => !names.has(name))).toEqual([]);
      }
    });

    test('no request is in flight any more, and no process has ended', async () => {
      for (const { service } of stores) {
        expect(service.program.isRunning).toBe(true);
        for (const gauge of ['requests', 'bytes']) {
          await eventualValue(
            async () => (await service.sum(`payload_store_in_flight_${gauge}`)) === 0 || undefined,
            5_000,
          );
        }
      }
      // One request may be open, since the reaper of one store lists every second.
      await eventualValue(
        async () => (await bed.proxy.observed()).open <= 1 || undefined,
        LONGEST_REQUEST_TO_S3,
      );
    });
  });
}
