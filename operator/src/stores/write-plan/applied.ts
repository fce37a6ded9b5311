/** ms in which the mirror of the cluster may lag behind what was just applied */
const LAG = 2_000;
/** The longest pause between two repairs of an object that something else changes again and again, ms. */
const LONGEST_PAUSE = 5 * 60_000;

/** One object, as it was last applied. */
interface Applied {
  readonly hash: string;
  readonly version: string;
  readonly time: number;
  /** how often it had to be repaired since its desired state last changed */
  readonly repairs: number;
}

export type Verdict = { readonly apply: true } | { readonly apply: false; readonly lookAgainAfter?: number };

/**
 * What was applied, and in which version the API server kept it. Comparing those, rather than fields, finds each drift and
 * stays calm where an admission plugin rewrites what we ask for (GKE Autopilot does).
 */
export class AppliedObjects {
  readonly #applied = new Map<string, Applied>();

  /**
   * Whether the object has to be applied: it never was, is desired otherwise now, or someone changed or deleted it. Repairs of
   * the same object come with growing pauses, so that two who disagree do not keep the API server busy.
   * @param version of the live object; `undefined`: the mirror does not hold it
   * @param now ms, monotonic
   */
  judge(id: string, hash: string, version: string | undefined, now: number): Verdict {
    const applied = this.#applied.get(id);
    if (applied?.hash !== hash) return { apply: true };
    if (version === applied.version) return { apply: false };
    const pause = Math.min(LAG * 2 ** applied.repairs, LONGEST_PAUSE);
    const left = applied.time + pause - now;
    return left > 0 ? { apply: false, lookAgainAfter: left } : { apply: true };
  }

  /** @param version that the API server answered */
  record(id: string, hash: string, version: string, now: number): void {
    const before = this.#applied.get(id);
    const repairs = before?.hash === hash ? before.repairs + 1 : 0;
    this.#applied.set(id, { hash, version, time: now, repairs });
  }

  forget(id: string): void {
    this.#applied.delete(id);
  }
}
