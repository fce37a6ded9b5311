/** The same Event of an object is sent once in this time. */
const REPEAT_AFTER_MS = 600_000;
/** Events of an object that are sent at once */
const BURST = 25;
/** After this time an object may have one more. */
const ONE_MORE_AFTER_MS = 300_000;
/** objects that are remembered; the first one to be forgotten is that without Events for longest */
const MOST_OBJECTS = 4_096;

interface ObjectEvents {
  /** when each was sent, by its content; at most `BURST` */
  readonly sentAtMs: Map<string, number>;
  allowance: number;
  /** since when the allowance grows; monotonic */
  sinceMs: number;
}

/** Decides which events are worth sending: no repetitions, and of each object only so many. */
export class RecentEvents {
  readonly #objects = new Map<string, ObjectEvents>();

  /** @param atMs monotonic @returns a function that forgets the Event again; `undefined`: it is not to be sent */
  admit(uid: string, content: string, atMs: number): (() => void) | undefined {
    const events = this.#objects.get(uid) ?? { sentAtMs: new Map(), allowance: BURST, sinceMs: atMs };
    this.#objects.delete(uid);
    this.#objects.set(uid, events);
    if (this.#objects.size > MOST_OBJECTS) this.#objects.delete(this.#objects.keys().next().value as string);

    const last = events.sentAtMs.get(content);
    if (last !== undefined && atMs - last < REPEAT_AFTER_MS) return undefined;
    refill(events, atMs);
    if (events.allowance < 1) return undefined;
    events.allowance -= 1;
    events.sentAtMs.delete(content);
    events.sentAtMs.set(content, atMs);
    if (events.sentAtMs.size > BURST) events.sentAtMs.delete(events.sentAtMs.keys().next().value as string);
    return () => events.sentAtMs.delete(content);
  }
}

function refill(events: ObjectEvents, atMs: number): void {
  const more = (atMs - events.sinceMs) / ONE_MORE_AFTER_MS;
  events.allowance = Math.min(BURST, events.allowance + more);
  events.sinceMs = atMs;
}
