import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import type { KubernetesApi, KubernetesObject } from './api.ts';
import { apiBed, NEVER } from './api-server.fixture.ts';
import { Informer } from './informer.ts';
import { configMap } from './objects.fixture.ts';
import { CONFIG_MAPS } from './resources.ts';

const LIMIT = 20_000;
const bed = apiBed();

/** Writes and deletes ConfigMaps, and knows what there has to be. */
class Writer {
  readonly #api: KubernetesApi;
  readonly #namespace: string;
  readonly #expected = new Map<string, string>();
  #next = 0;

  constructor(api: KubernetesApi, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
  }

  get expected(): [string, string][] {
    return [...this.#expected].sort();
  }

  /** Changes one of 30 objects, or deletes it. */
  async change(): Promise<void> {
    this.#next += 1;
    const name = `n${(this.#next * 7) % 30}`;
    const key = `${this.#namespace}/${name}`;
    if (this.#next % 4 === 0) {
      await this.#api.delete({ resource: CONFIG_MAPS, namespace: this.#namespace, name }, undefined, NEVER);
      this.#expected.delete(key);
    } else {
      const value = String(this.#next);
      const object = { ...configMap(name, '', { value }), metadata: { namespace: this.#namespace, name } };
      await this.#api.apply(CONFIG_MAPS, object, { force: true }, NEVER);
      this.#expected.set(key, value);
    }
  }

  async changes(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) await this.change();
  }
}

const dataValueOf = (object: KubernetesObject) => (object.data as { value: string }).value;

/** An informer of a namespace behind a network of its own, and what its listener got. */
async function watchedNamespace(silenceMs = 90_000) {
  const namespace = await bed.newNamespace();
  const { api, proxy } = await bed.apiBehindProxy();
  const failures: string[] = [];
  const informer = new Informer<string>({
    api,
    selection: { resource: CONFIG_MAPS, namespace },
    map: dataValueOf,
    onFailure: ({ message }) => failures.push(message),
    timings: { silenceMs, longestDelayMs: 2_000 },
  });
  const seen = new Map<string, string>();
  let deliveries = 0;
  informer.onChange((key, before, after) => {
    deliveries += 1;
    expect(seen.get(key), `what was before of ${key}`).toBe(before);
    expect(after, `a change of ${key}`).not.toBe(before);
    if (after === undefined) seen.delete(key);
    else seen.set(key, after);
  });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.synced;
  const writer = new Writer(bed.api(), namespace);
  const isCurrent = () => {
    const entries = JSON.stringify([...informer.entries()].sort());
    return entries === JSON.stringify(writer.expected) && JSON.stringify([...seen].sort()) === entries;
  };
  return {
    ...{ informer, proxy, writer, failures, namespace },
    isCurrent: () => eventually('the informer is what there is', isCurrent, LIMIT),
    deliveries: () => deliveries,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await proxy[Symbol.asyncDispose]();
      expect(failures).not.toContain(expect.stringMatching(/AssertionError/));
    },
  };
}

test('an informer follows each change', async () => {
  await using it = await watchedNamespace();
  await it.writer.changes(100);
  await it.isCurrent();
  expect(it.failures).toEqual([]);
});

test('changes while connections were cut are reported afterwards', async () => {
  await using it = await watchedNamespace();
  await it.writer.changes(40);
  await it.isCurrent();
  for (let n = 0; n < 3; n += 1) {
    it.proxy.cut();
    await it.writer.changes(25);
    await sleep(300);
    it.proxy.heal();
    await it.isCurrent();
  }
  expect(it.failures.length).toBeGreaterThan(0);
  expect(it.informer.status().failure).toBeUndefined();
});

test('a connection that passes nothing any more is given up after the silence', async () => {
  await using it = await watchedNamespace(1_500);
  await it.writer.changes(20);
  await it.isCurrent();
  it.proxy.hang();
  await it.writer.changes(25);
  await eventually('health knows', () => it.informer.status().failure !== undefined, LIMIT);
  it.proxy.heal();
  await it.isCurrent();
});

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'an informer goes on after an API server that ends by %s',
  async (signal) => {
    await using it = await watchedNamespace();
    await it.writer.changes(40);
    await it.isCurrent();
    await bed.controlPlane().restart({ signal, goneForMs: 1_000 });
    await it.writer.changes(40);
    await it.isCurrent();
  },
);

test('an informer whose resourceVersion has expired (410) lists again and reports only what changed', async () => {
  await using it = await watchedNamespace();
  await it.writer.changes(30);
  await it.isCurrent();
  const before = it.deliveries();
  it.proxy.cut();
  await it.writer.changes(3);
  // Its cache of changes is empty after a restart; what comes then makes the gap.
  await bed.controlPlane().restart();
  await it.writer.changes(5);
  it.proxy.heal();
  await it.isCurrent();
  expect(it.failures.some((failure) => /too old resource version|Expired|410/.test(failure))).toBe(true);
  expect(it.deliveries() - before).toBeLessThanOrEqual(8);
});

test('an informer goes on after an API server that stood still', async () => {
  await using it = await watchedNamespace(1_500);
  await it.writer.changes(20);
  await it.isCurrent();
  const { apiServer } = bed.controlPlane().pids;
  process.kill(apiServer, 'SIGSTOP');
  await sleep(4_000);
  process.kill(apiServer, 'SIGCONT');
  await it.writer.changes(20);
  await it.isCurrent();
});
