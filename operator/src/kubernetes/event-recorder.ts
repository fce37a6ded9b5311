import { randomUUID } from 'node:crypto';
import type { KubernetesApi, KubernetesObject } from './api.ts';
import { microTime } from './lease.ts';
import { RecentEvents } from './recent-events.ts';
import { EVENTS, kindOf } from './resources.ts';

export const CONTROLLER = 'largepayload.dev/operator';
/** bytes; the API takes no more */
const LONGEST_NOTE = 1_024;
/** Events on their way at a time; more than that are left out. */
const MOST_PENDING = 100;

/** The API server's message about a namespace that is being deleted, which takes no Events. */
const NAMESPACE_ENDS = /because it is being terminated/;

export interface RecordedEvent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase */
  readonly reason: string;
  /** of the operator, CamelCase */
  readonly action: string;
  /** A sentence for people; cut at 1,024 bytes. */
  readonly note: string;
}

export interface EventRecorderOptions {
  readonly api: KubernetesApi;
  /** Of this process: the pod's name. */
  readonly instance: string;
  readonly onFailure?: (failure: Error) => void;
}

/**
 * Records for people what happened to an object, where `kubectl describe` shows it. Repetitions within ten minutes are left out, and
 * Events beyond an object's share. The caller does not wait for a record and gets no failure of it.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #recent = new RecentEvents();
  readonly #pending = new Set<Promise<void>>();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** @param regarding as the API server gave it */
  record(regarding: KubernetesObject, event: RecordedEvent): void {
    const { uid = '' } = regarding.metadata;
    if (this.#pending.size >= MOST_PENDING) return;
    const forget = this.#recent.admit(uid, JSON.stringify(event), performance.now());
    if (forget === undefined) return;
    const sent = this.#send(regarding, event)
      .catch((failure: Error) => {
        // The same Event may be tried again.
        forget();
        if (!NAMESPACE_ENDS.test(failure.message)) this.#options.onFailure?.(failure);
      })
      .finally(() => this.#pending.delete(sent));
    this.#pending.add(sent);
  }

  /** Resolves when everything recorded so far was sent, or failed; at the latest when the signal is aborted. */
  async settled(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await Promise.race([Promise.all(this.#pending), aborted]);
  }

  async #send(regarding: KubernetesObject, event: RecordedEvent): Promise<void> {
    const { apiVersion, kind, metadata } = regarding;
    const { namespace = 'default', name, uid, resourceVersion } = metadata;
    const object = {
      ...kindOf(EVENTS),
      metadata: { namespace, name: `${name}.${randomUUID().slice(-12)}` },
      eventTime: microTime(new Date()),
      reportingController: CONTROLLER,
      reportingInstance: this.#options.instance.slice(0, 128),
      regarding: { apiVersion, kind, namespace, name, uid, resourceVersion },
      ...event,
      note: cut(event.note, LONGEST_NOTE),
    };
    // No signal but the API's own time limit: the last Events are sent while the operator ends.
    await this.#options.api.create(EVENTS, object, new AbortController().signal);
  }
}

/** The text, or its beginning with an ellipsis where it has more than `longest` bytes as UTF-8. */
function cut(text: string, longest: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= longest) return text;
  let end = longest - Buffer.byteLength('…');
  // Do not cut within a character, whose later bytes begin with the bits 10.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}…`;
}
