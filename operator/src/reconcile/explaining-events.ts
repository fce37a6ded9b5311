import type { KubernetesApi } from '../kubernetes/api.ts';
import { type EventSelection, latestEvent } from './latest-event.ts';

/** Until the same is asked again. */
const INTERVAL_MS = 10_000;

/** Something that Kubernetes explains by Events only. */
export interface Question {
  /** what it is about */
  readonly key: string;
  readonly selection: EventSelection;
  /** how long to wait before the first request, as it may explain itself */
  readonly delayMs: number;
}

interface Answer {
  readonly message: string | undefined;
  /** monotonic */
  readonly nextAtMs: number;
}

/** The messages of the Events that explain something, asked for as long as there is a question. */
export class ExplainingEvents {
  readonly #api: KubernetesApi;
  readonly #answers = new Map<string, Answer>();

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /**
   * Reads Events whose time has come. A read that fails is no failure: Events only explain.
   * @param nowMs monotonic
   * @returns ms after which to call again; infinite without a question
   */
  async refresh(questions: readonly Question[], nowMs: number, signal: AbortSignal): Promise<number> {
    const keys = new Set(questions.map(({ key }) => key));
    for (const key of this.#answers.keys()) if (!keys.has(key)) this.#answers.delete(key);
    for (const { key, selection, delayMs } of questions) {
      const before = this.#answers.get(key) ?? { message: undefined, nextAtMs: nowMs + delayMs };
      const isDue = nowMs >= before.nextAtMs;
      const message = isDue
        ? await latestEvent(this.#api, selection, signal).catch(() => before.message)
        : before.message;
      this.#answers.set(key, { message, nextAtMs: isDue ? nowMs + INTERVAL_MS : before.nextAtMs });
    }
    return Math.min(...[...this.#answers.values()].map(({ nextAtMs }) => nextAtMs)) - nowMs;
  }

  /** by key of the question */
  get messages(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#answers].flatMap(([key, { message }]) => (message === undefined ? [] : [[key, message]])),
    );
  }
}
