import type { ObservedObject, Refusal } from '../observed.ts';
import { identityOf, isOurs } from '../ownership.ts';
import type { StoreResource } from '../read-store.ts';
import { type AppliedObject, appliedAs, versionOf } from './applied-object.ts';
import { type Attempt, isElsewhere, isRefused } from './attempt.ts';
import { longestRetryMs, type Postponed, postponedAfter } from './postponed.ts';
import { objectOf, type WriteAction, type WriteOutcome } from './write-action.ts';

/** How long the API server may fail to answer before the status shows it: it may be restarting. */
const PATIENCE_MS = 20_000;

/**
 * What is remembered of the writes of one store, by identity of the object. A round begins with each reconciliation and ends when
 * no action is left. It can be found out anew, at the price of more requests.
 */
export interface WriteState {
  readonly applied: ReadonlyMap<string, AppliedObject>;
  /** found by looks; the informers do not have these objects, as they lack our label */
  readonly found: ReadonlyMap<string, ObservedObject>;
  readonly attempts: ReadonlyMap<string, Attempt>;
  /** by identity of an object of another namespace */
  readonly postponed: ReadonlyMap<string, Postponed>;
  /** of an object of another namespace */
  readonly longestRetryMs: number;
  /** rounds in a row, before this round, in which something was refused or belonged to others */
  readonly troubledRounds: number;
  /** since when there is a failure in each round, monotonic */
  readonly failingSinceMs: number | undefined;
}

export const NOTHING_WRITTEN: WriteState = {
  applied: new Map(),
  found: new Map(),
  attempts: new Map(),
  postponed: new Map(),
  longestRetryMs: longestRetryMs(0),
  troubledRounds: 0,
  failingSinceMs: undefined,
};

/**
 * @param nowMs monotonic
 * @param postponedInAll objects of other namespaces that are postponed, of all stores
 */
export function beginRound(
  state: WriteState,
  store: StoreResource,
  nowMs: number,
  postponedInAll = 0,
): WriteState {
  const longestMs = longestRetryMs(postponedInAll);
  const hasFailed = [...state.attempts.values()].some(({ failed }) => failed !== undefined);
  return {
    ...state,
    attempts: new Map(),
    postponed: postponedAfter(state.postponed, state.attempts, store, nowMs, longestMs),
    longestRetryMs: longestMs,
    troubledRounds: isTroubled(state, store) ? state.troubledRounds + 1 : 0,
    failingSinceMs: hasFailed ? state.failingSinceMs : undefined,
  };
}

/** The state after an action has had an outcome. */
export function record(
  state: WriteState,
  action: WriteAction,
  outcome: WriteOutcome,
  nowMs: number,
): WriteState {
  const identity = identityOf(objectOf(action));
  const attempt = attemptAfter(state.attempts.get(identity) ?? {}, action, outcome);
  const after = { ...state, attempts: withEntry(state.attempts, identity, attempt) };
  switch (outcome.kind) {
    case 'found':
      return { ...after, found: withEntry(state.found, identity, outcome.object) };
    case 'applied': {
      const hash = action.kind === 'delete' ? '' : action.desired.hash;
      const applied = appliedAs(state.applied.get(identity), hash, versionOf(outcome.object), nowMs);
      const found = withEntry(state.found, identity, undefined);
      return { ...after, applied: withEntry(state.applied, identity, applied), found };
    }
    case 'deleted':
      return { ...after, applied: withEntry(state.applied, identity, undefined) };
    case 'failed':
      return { ...after, failingSinceMs: state.failingSinceMs ?? nowMs };
    default:
      return after;
  }
}

function attemptAfter(attempt: Attempt, action: WriteAction, outcome: WriteOutcome): Attempt {
  switch (outcome.kind) {
    case 'found':
      return { ...attempt, look: { found: outcome.object } };
    case 'applied':
    case 'deleted':
      return { isDone: true };
    case 'patched':
      return { ...(attempt.look && { look: attempt.look }), portsReplaced: true };
    case 'refused': {
      // The refusal of the apply explains more than the refusal of its repair.
      if (action.kind === 'replace-ports') return { ...attempt, portsReplaced: true };
      const byForce = action.kind === 'apply' && action.force;
      const { look, ...others } = attempt;
      return { ...others, ...(byForce && look && { look }), refused: { ...outcome, byForce } };
    }
    case 'failed':
      return { ...attempt, failed: outcome.refusal };
  }
}

/** Whether something in the store's namespace was refused in this round, or an object of others has a name that the store needs. */
export function isTroubled({ attempts }: WriteState, store: StoreResource): boolean {
  return [...attempts.values()].some((attempt) => isRefused(attempt, store) && !isElsewhere(attempt, store));
}

/** Objects of others that have a name which the store needs. */
export function foreignObjects({ found }: WriteState, store: StoreResource): readonly ObservedObject[] {
  return [...found.values()].filter((object) => !isOurs(object, store));
}

/** Refusals of this round and of objects that are postponed, and requests that the API server has failed to answer for so long that people should know. */
export function refusalsOf(
  { attempts, postponed, failingSinceMs }: WriteState,
  nowMs: number,
): readonly Refusal[] {
  const lasts = nowMs - (failingSinceMs ?? nowMs) >= PATIENCE_MS;
  const earlier = [...postponed].flatMap(([identity, { refusal }]) =>
    attempts.has(identity) ? [] : (refusal ?? []),
  );
  const now = [...attempts.values()].flatMap(
    ({ refused, failed }) => refused?.refusal ?? (lasts ? failed : undefined) ?? [],
  );
  return [...now, ...earlier];
}

function withEntry<T>(
  map: ReadonlyMap<string, T>,
  key: string,
  value: T | undefined,
): ReadonlyMap<string, T> {
  const copy = new Map(map);
  if (value === undefined) copy.delete(key);
  else copy.set(key, value);
  return copy;
}
