import type { KubernetesApi } from '../kubernetes/api.ts';
import { type EventSelection, latestEvent } from './latest-event.ts';

/** ms until the same is asked again */
const INTERVAL = 10_000;

/** What an Event may explain. */
export interface Question {
  /** what it is about */
  readonly key: string;
  readonly selection: EventSelection;
  /** ms since the epoch: not asked before, as it may explain itself */
  readonly from: number;
}

interface Asked {
  readonly message: string | undefined;
  /** ms since the epoch */
  readonly nextAt: number;
}

/** What Kubernetes says in Events only, asked for as long as there is a question. */
export class ExplainingEvents {
  readonly #api: KubernetesApi;
  readonly #asked = new Map<string, Asked>();

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /** Events that cannot be had are no failure: they only explain. @param now ms since the epoch */
  async refresh(questions: readonly Question[], now: number, signal: AbortSignal): Promise<void> {
    const keys = new Set(questions.map(({ key }) => key));
    for (const key of this.#asked.keys()) if (!keys.has(key)) this.#asked.delete(key);
    for (const { key, selection, from } of questions) {
      const before = this.#asked.get(key) ?? { message: undefined, nextAt: from };
      const isDue = now >= before.nextAt;
      const message = isDue
        ? await latestEvent(this.#api, selection, signal).catch(() => before.message)
        : before.message;
      this.#asked.set(key, { message, nextAt: isDue ? now + INTERVAL : before.nextAt });
    }
  }

  /** by key of the question */
  get messages(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#asked].flatMap(([key, { message }]) => (message === undefined ? [] : [[key, message]])),
    );
  }

  /** ms since the epoch, when the next one should be asked; infinite while there is none. */
  get nextAt(): number {
    return Math.min(...[...this.#asked.values()].map(({ nextAt }) => nextAt));
  }
}
