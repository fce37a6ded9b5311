/** ms in which the same is said once */
const REPEAT_AFTER = 600_000;
/** events of an object at once */
const BURST = 25;
/** ms until it has one more */
const ONE_MORE_AFTER = 300_000;
/** objects remembered; the one silent for longest is forgotten first */
const MOST_OBJECTS = 4_096;

interface ObjectEvents {
  /** when each was said, by its content; at most `BURST` */
  readonly said: Map<string, number>;
  allowance: number;
  since: number;
}

/** Decides which events are worth sending: no repetitions, and of each object only so many. */
export class RecentEvents {
  readonly #objects = new Map<string, ObjectEvents>();

  /** @param at ms, monotonic @returns what makes the event unsaid again; `undefined`: it is not to be sent */
  admit(uid: string, content: string, at: number): (() => void) | undefined {
    const events = this.#objects.get(uid) ?? { said: new Map(), allowance: BURST, since: at };
    this.#objects.delete(uid);
    this.#objects.set(uid, events);
    if (this.#objects.size > MOST_OBJECTS) this.#objects.delete(this.#objects.keys().next().value as string);

    const last = events.said.get(content);
    if (last !== undefined && at - last < REPEAT_AFTER) return undefined;
    refill(events, at);
    if (events.allowance < 1) return undefined;
    events.allowance -= 1;
    events.said.delete(content);
    events.said.set(content, at);
    if (events.said.size > BURST) events.said.delete(events.said.keys().next().value as string);
    return () => events.said.delete(content);
  }
}

function refill(events: ObjectEvents, at: number): void {
  const more = (at - events.since) / ONE_MORE_AFTER;
  events.allowance = Math.min(BURST, events.allowance + more);
  events.since = at;
}
