import type { ObservedObject } from '../observed.ts';

/** How long the informers may lag behind an apply. */
const LAG_MS = 2_000;
/** The longest pause between two repairs of an object that something else changes again and again. */
const LONGEST_PAUSE_MS = 5 * 60_000;

/** One object as it was last applied, and the version in which the API server kept it. */
export interface AppliedObject {
  /** of the desired object */
  readonly hash: string;
  /** as `versionOf` */
  readonly version: string;
  /** monotonic */
  readonly atMs: number;
  /** how often it was repaired since its desired state last changed */
  readonly repairs: number;
}

export type Verdict =
  | { readonly apply: true }
  | { readonly apply: false; readonly lookAgainAfterMs?: number };

/**
 * Whether an object has to be applied: it never was, is desired otherwise now, or was changed or deleted. Versions are compared, not
 * fields: that finds each drift, and stays calm where an admission plugin rewrites the request (GKE Autopilot does). Repairs of one
 * object come with growing pauses, so that two writers who disagree do not keep the API server busy.
 * @param version of the live object; `undefined`: the informers do not have it
 */
export function judge(
  applied: AppliedObject | undefined,
  hash: string,
  version: string | undefined,
  nowMs: number,
): Verdict {
  if (applied?.hash !== hash) return { apply: true };
  if (version === applied.version) return { apply: false };
  const pauseMs = Math.min(LAG_MS * 2 ** applied.repairs, LONGEST_PAUSE_MS);
  const leftMs = applied.atMs + pauseMs - nowMs;
  return leftMs > 0 ? { apply: false, lookAgainAfterMs: leftMs } : { apply: true };
}

/** @param before the same object as it was applied before that */
export function appliedAs(
  before: AppliedObject | undefined,
  hash: string,
  version: string,
  nowMs: number,
): AppliedObject {
  const repairs = before?.hash === hash ? before.repairs + 1 : 0;
  return { hash, version, atMs: nowMs, repairs };
}

/**
 * Changes with each change of the object. Where the API server counts changes of what is desired (`generation`), that number,
 * as a controller's report in the status is no change. It leaves out metadata, so what ties the object to its store is added.
 */
export function versionOf({ uid, generation, resourceVersion, ...ties }: ObservedObject): string {
  if (generation === undefined) return resourceVersion;
  return [uid, generation, ties.controller, ties.store, ties.objectHash].join(' ');
}
