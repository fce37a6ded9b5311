import { isDeepStrictEqual } from 'node:util';
import type { ObservedPod, PodReport } from '../stores/observed.ts';
import { afterHold, afterPoll, processOf } from './poll-pace.ts';
import type { PollPlaces, WaitingPoll } from './poll-places.ts';
import { type Hold, type Poll, type PollResult, pollPod, type RunningPod } from './poll-pod.ts';
import { dueTimes, isBehind, type PolledPod, turnsWith } from './poll-turns.ts';

/** In this time each pod of a store that is well is polled once, or answers by itself. A pod ends a poll after ten minutes. */
const LONGEST_HOLD_MS = 610_000;
/** Over all stores. Each takes a connection, which costs about 10 KiB. */
const MOST_HELD = 2_500;
/** How long a status waits for pods that are about to be polled, as it may have to say something else then. */
const PATIENCE_MS = 5_000;

/** What all stores share. */
export interface SharedPolls {
  readonly places: PollPlaces;
  /** polls that pods are asked to hold */
  held: number;
}

interface CurrentPoll extends WaitingPoll {
  request?: Poll;
  isHeld?: boolean;
}

interface PolledContainer extends PolledPod {
  readonly process: string;
  /** waits for its turn, or for the answer */
  current: CurrentPoll | undefined;
}

/** Polls the pods of one store as often as their reports may have changed. */
export class StorePolls {
  readonly #shared: SharedPolls;
  readonly #onNews: () => void;
  /** by UID */
  readonly #pods = new Map<string, PolledContainer>();
  #timer: NodeJS.Timeout | undefined;
  /** monotonic */
  #behindSinceMs: number | undefined;

  /** @param onNews called after a poll that has changed a report, or found a pod that is not well */
  constructor(shared: SharedPolls, onNews: () => void) {
    this.#shared = shared;
    this.#onNews = onNews;
  }

  /** Polls these pods from now on, and no others; at once where readiness or container have changed. */
  watch(pods: readonly ObservedPod[]): void {
    const running = new Map(pods.filter(isRunning).map((pod) => [pod.uid, pod]));
    for (const [uid, polled] of this.#pods) {
      const pod = running.get(uid);
      if (pod !== undefined && processOf(pod) === polled.process) continue;
      this.#pods.delete(uid);
      this.#end(polled);
    }
    for (const pod of running.values()) {
      const polled = this.#pods.get(pod.uid) ?? begin(pod);
      this.#pods.set(pod.uid, polled);
      polled.pod = pod;
      if (!isBehind(polled)) continue;
      // It may answer now: it neither has to wait with silent pods nor for the end of a poll that it holds.
      if (polled.current?.isHeld || polled.current?.wasSilent) this.#end(polled);
    }
    this.#schedule();
  }

  /** by UID of the pod */
  get reports(): ReadonlyMap<string, PodReport> {
    return new Map(
      [...this.#pods].flatMap(([uid, { history }]) => (history?.report ? [[uid, history.report]] : [])),
    );
  }

  /** ms for which the status should wait for pods that were not polled yet as they are now; 0: not at all */
  patienceMs(): number {
    if (![...this.#pods.values()].some(isBehind)) this.#behindSinceMs = undefined;
    else this.#behindSinceMs ??= performance.now();
    if (this.#behindSinceMs === undefined) return 0;
    return Math.max(0, this.#behindSinceMs + PATIENCE_MS - performance.now());
  }

  /** Gives up a poll that waits or is held; one that the pod has not begun to answer goes on. */
  #end(polled: PolledContainer): void {
    const { current } = polled;
    if (current === undefined) return;
    const isGone = this.#pods.get(polled.pod.uid) !== polled;
    if (this.#shared.places.withdraw(current) || current.isHeld || isGone) {
      polled.current = undefined;
      current.request?.end();
    }
  }

  /** Begins the polls that are due, and comes again for the next one. */
  #schedule(): void {
    clearTimeout(this.#timer);
    const nowMs = performance.now();
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (const [polled, dueAtMs] of dueTimes([...this.#pods.values()])) {
      if (polled.current !== undefined) continue;
      if (dueAtMs <= nowMs) this.#begin(polled);
      else nextAtMs = Math.min(nextAtMs, dueAtMs);
    }
    if (Number.isFinite(nextAtMs))
      this.#timer = setTimeout(() => this.#schedule(), Math.ceil(nextAtMs - nowMs));
  }

  #begin(polled: PolledContainer): void {
    const wasSilent = !isBehind(polled) && (polled.history?.silences ?? 0) > 0;
    const current: CurrentPoll = { store: this, wasSilent, begin: () => this.#poll(polled, current) };
    polled.current = current;
    this.#shared.places.put(current);
  }

  async #poll(polled: PolledContainer, current: CurrentPoll): Promise<void> {
    const { pod } = polled;
    const startedAtMs = performance.now();
    const hold = this.#holdOf(polled);
    const request = pollPod(pod, hold);
    current.request = request;
    if (hold !== undefined) this.#shared.held += 1;
    const ended = request.result.then((result) => {
      if (hold !== undefined) this.#shared.held -= 1;
      // Otherwise it is of a pod that has gone, or was given up.
      if (polled.current === current) this.#ended(polled, pod, result, performance.now() - startedAtMs);
    });
    if (hold === undefined) return await ended;
    await request.begun;
    current.isHeld = true;
  }

  #holdOf(polled: PolledContainer): Hold | undefined {
    const { history } = polled;
    if (isBehind(polled) || !history?.isWell || history.revision === undefined) return undefined;
    if (this.#shared.held >= MOST_HELD) return undefined;
    const pods = turnsWith(polled, [...this.#pods.values()]);
    return { since: history.revision, forMs: LONGEST_HOLD_MS / pods };
  }

  #ended(polled: PolledContainer, asked: RunningPod, result: PollResult | undefined, tookMs: number): void {
    const before = polled.history;
    const after =
      result === undefined
        ? before && afterHold(before)
        : afterPoll(before, result, { whileReady: asked.ready, tookMs });
    polled.history = after;
    polled.endedAtMs = performance.now();
    polled.current = undefined;
    this.#schedule();
    const wasExpected = before?.whileReady === asked.ready && polled.pod.ready === asked.ready;
    const isOld = wasExpected && isDeepStrictEqual(before.report, after?.report);
    if (!isOld || !after?.isWell) this.#onNews();
  }
}

function begin(pod: RunningPod): PolledContainer {
  return { pod, process: processOf(pod), history: undefined, endedAtMs: 0, current: undefined };
}

function isRunning(pod: ObservedPod): pod is RunningPod {
  return pod.ip !== undefined && pod.runningSince !== undefined;
}
