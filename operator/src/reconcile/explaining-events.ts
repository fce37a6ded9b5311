import { textAt } from '@largepayload/crds';
import type { KubernetesApi, KubernetesObject } from '../kubernetes/api.ts';
import { POD_EVENTS } from '../kubernetes/resources.ts';

/** Until the same is asked again. */
const INTERVAL_MS = 10_000;
const MOST_EVENTS = 500;

/** Something that Kubernetes explains by Events only. */
export interface Question {
  /** names the object that it is about */
  readonly key: string;
  /** of the Events, as are the next three */
  readonly namespace: string;
  readonly fieldSelector: string;
  readonly reasons: readonly string[];
  /** matches the name of the object that they are about */
  readonly about?: RegExp;
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
    for (const question of questions) {
      const { key, delayMs } = question;
      const before = this.#answers.get(key) ?? { message: undefined, nextAtMs: nowMs + delayMs };
      const isDue = nowMs >= before.nextAtMs;
      const message = isDue
        ? await latestEvent(this.#api, question, signal).catch(() => before.message)
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

/** The message of the latest Event of that kind. @throws ApiError */
async function latestEvent(
  api: KubernetesApi,
  { namespace, fieldSelector, reasons, about = /(?:)/ }: Question,
  signal: AbortSignal,
): Promise<string | undefined> {
  const selection = { resource: POD_EVENTS, namespace, fieldSelector };
  const { items } = await api.list(selection, { limit: MOST_EVENTS }, signal);
  const [latest] = items
    .filter(({ reason }) => reasons.includes(String(reason)))
    .filter(({ involvedObject }) => about.test(textAt(involvedObject, 'name') ?? ''))
    .sort((one, other) => timeOf(other) - timeOf(one));
  return latest === undefined ? undefined : String(latest.message);
}

function timeOf({ lastTimestamp, eventTime, metadata }: KubernetesObject): number {
  return Date.parse(String(lastTimestamp ?? eventTime ?? metadata.creationTimestamp)) || 0;
}
