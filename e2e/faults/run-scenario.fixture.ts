import { setTimeout as sleep } from 'node:timers/promises';
import type { Observed } from '@largepayload/testing/fault-proxy/observations';
import type { RunningProxy } from '@largepayload/testing/fault-proxy/running-proxy';
import { damagedAmong, nameOfKey } from './bucket-check.fixture.ts';
import { type Acknowledged, Ledger } from './ledger.fixture.ts';
import { runLoad } from './load.fixture.ts';
import { peakMemory, requestsAnswered } from './metrics.fixture.ts';
import { probe } from './prober.fixture.ts';
import { untilRecovered } from './recovery.fixture.ts';
import type { Scenario } from './scenarios.fixture.ts';
import type { RunningStore } from './store.fixture.ts';

/** ms that the faults of a scenario last, unless it says otherwise */
const DURATION = 5_000;

/** The outcome of a scenario, over all stores. */
export interface Outcome {
  readonly scenario: string;
  /** by kind */
  readonly injected: Readonly<Record<string, number>>;
  /** at the proxy */
  readonly backendRequests: number;
  readonly operations: number;
  readonly acknowledged: number;
  /** tries of operations beyond the first one */
  readonly retried: number;
  readonly failures: ReadonlyMap<string, number>;
  /** acknowledged, and then missing or altered */
  readonly lost: readonly string[];
  /** delivered complete, with other bytes than were stored */
  readonly wrong: readonly string[];
  /** seconds of the codec's slowest operation, its tries together */
  readonly slowest: number;
  /** seconds of the slowest request without the codec */
  readonly slowestRaw: number;
  /** probes that found the service not ready */
  readonly unready: number;
  /** seconds of the slowest answer to a probe */
  readonly slowestProbe: number;
  /** seconds from the end of the faults */
  readonly recovery: number;
  /** bytes of the larger of the processes, since it started */
  readonly peakMemory: number;
}

export interface ScenarioOptions {
  readonly stores: readonly RunningStore[];
  readonly proxy: RunningProxy;
  readonly seed: number;
  /** by store: the payloads that readers read; the scenario adds those that it stores */
  readonly kept: ReadonlyMap<RunningStore, Acknowledged[]>;
}

/** Loads the stores while the faults last, and checks all acknowledged payloads afterwards. */
export async function runScenario(scenario: Scenario, options: ScenarioOptions): Promise<Outcome> {
  const { stores, proxy } = options;
  const before = await proxy.observed();
  await proxy.inject(...scenario.rules);
  const ended = faultsEnd(scenario, proxy);
  const parts = await Promise.all(stores.map((store) => runOn(store, scenario, options, ended)));
  const after = await proxy.observed();
  const sum = (of: (part: Part) => number) => parts.reduce((total, part) => total + of(part), 0);
  const most = (of: (part: Part) => number) => Math.max(...parts.map(of));
  return {
    scenario: scenario.name,
    injected: difference(before.faults, after.faults),
    backendRequests: total(after) - total(before),
    operations: sum(({ ledger }) => ledger.operations),
    acknowledged: sum(({ ledger }) => ledger.acknowledged.length),
    retried: sum(({ retried }) => retried),
    failures: mergedCounts(parts.map(({ ledger }) => ledger.failures)),
    lost: parts.flatMap(({ lost }) => lost),
    wrong: parts.flatMap(({ ledger }) => ledger.wrong),
    slowest: most(({ ledger }) => ledger.slowest) / 1_000,
    slowestRaw: most(({ ledger }) => ledger.slowestRaw) / 1_000,
    unready: sum(({ unready }) => unready),
    slowestProbe: most(({ slowestProbe }) => slowestProbe) / 1_000,
    recovery: most(({ recovery }) => recovery),
    peakMemory: Math.max(...stores.map(({ service }) => peakMemory(service))),
  };
}

interface Part {
  readonly ledger: Ledger;
  readonly lost: readonly string[];
  readonly unready: number;
  readonly slowestProbe: number;
  readonly recovery: number;
  readonly retried: number;
}

async function faultsEnd({ refusedFor, duration = DURATION }: Scenario, proxy: RunningProxy): Promise<void> {
  const whole = sleep(duration);
  if (refusedFor !== undefined) {
    await sleep(duration / 4);
    await proxy.refuse(refusedFor);
  }
  await whole;
  await proxy.inject();
}

async function runOn(
  store: RunningStore,
  { duration = DURATION }: Scenario,
  { seed, kept }: ScenarioOptions,
  faultsEnded: Promise<void>,
): Promise<Part> {
  const { service, objects } = store;
  const earlier = kept.get(store) ?? [];
  const ledger = new Ledger();
  const answeredBefore = await requestsAnswered(service);
  const probing = new AbortController();
  const probed = probe(service, probing.signal);
  const load = runLoad({ url: service.url, ledger, earlier, seed, duration });
  await faultsEnded;
  probing.abort();
  const [recovery, { unready, slowest: slowestProbe }] = await Promise.all([
    untilRecovered(service),
    probed,
    load,
  ]);
  const answered = (await requestsAnswered(service)) - answeredBefore - recovery.requests;
  const names = new Set(ledger.acknowledged.map(({ key }) => nameOfKey(key)));
  const lost = await damagedAmong(objects, names);
  earlier.push(...ledger.acknowledged);
  const retried = Math.max(0, answered - ledger.operations);
  return { ledger, lost, unready, slowestProbe, recovery: recovery.seconds, retried };
}

function total({ requests }: Observed): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

function difference(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const counts = Object.entries(after).map(([kind, count]) => [kind, count - (before[kind] ?? 0)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function mergedCounts(all: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const merged = new Map<string, number>();
  for (const counts of all) {
    for (const [key, count] of counts) merged.set(key, (merged.get(key) ?? 0) + count);
  }
  return merged;
}
