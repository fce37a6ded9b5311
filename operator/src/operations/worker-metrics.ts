import { Counter, Gauge, type Registry } from 'prom-client';

const STATES = ['injected', 'missed', 'outdated'];
const RESULTS = ['evicted', 'refused', 'failed', 'didNotHelp'] as const;
export type EvictionResult = (typeof RESULTS)[number];

/** Metrics of the pods that should have a sidecar. */
export class WorkerMetrics {
  readonly #evictions: Counter<'result'>;

  /** @param states of all pods in scope; called at each scrape */
  constructor(registry: Registry, states: () => Iterable<string>) {
    const workers: Gauge<'state'> = new Gauge({
      name: 'large_payload_operator_worker_pods',
      help: 'Pods that should have a sidecar, by what they have: injected, missed, outdated.',
      labelNames: ['state'],
      registers: [registry],
      collect: () => {
        const counts = new Map(STATES.map((state) => [state, 0]));
        for (const state of states()) {
          const count = counts.get(state);
          if (count !== undefined) counts.set(state, count + 1);
        }
        for (const [state, count] of counts) workers.set({ state }, count);
      },
    });
    this.#evictions = new Counter({
      name: 'large_payload_operator_pod_evictions_total',
      help: 'Evictions of pods without a sidecar, by result: evicted, refused (by a budget), failed, didNotHelp (missed again).',
      labelNames: ['result'],
      registers: [registry],
    });
    for (const result of RESULTS) this.#evictions.inc({ result }, 0);
  }

  recordEviction(result: EvictionResult): void {
    this.#evictions.inc({ result });
  }
}
