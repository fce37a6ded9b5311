import type { AuthorityState, RotationCause, SigningAuthority } from './authority-state.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Times of one clock, read twice, may differ by less. */
const CLOCK_STEP_MS = MINUTE_MS;

export const AUTHORITY_LIFE_MS = 5 * 365 * DAY_MS;
/** Certificates live for half a year, so the authority that signs them always lives longer. */
export const ROTATED_BEFORE_END_MS = 365 * DAY_MS;

/**
 * How long an authority is published before it signs. Planned: clients outside the cluster, which have a copy of the file, get it from
 * a person. By hand: the key may be stolen, so only the pods are waited for, whose files follow a ConfigMap within about two minutes.
 */
export const PUBLISHED_BEFORE_MS: Readonly<Record<RotationCause, number>> = {
  Planned: 30 * DAY_MS,
  ByHand: 15 * MINUTE_MS,
};
/** How long an authority stays published after its last certificate was replaced. Gateways read a new certificate within about two minutes. */
export const PUBLISHED_AFTER_MS: Readonly<Record<RotationCause, number>> = {
  Planned: DAY_MS,
  ByHand: 15 * MINUTE_MS,
};
/** By hand, the previous authority goes after this time although some certificate of it could not be replaced. */
export const LONGEST_AFTER_BY_HAND_MS = HOUR_MS;

/** What to do with the authorities now. */
export type AuthorityStep =
  /** make the first authority, or another one in place of one that has expired */
  | { readonly kind: 'create' }
  /** make another authority and publish it */
  | { readonly kind: 'begin'; readonly cause: RotationCause }
  /** the next authority signs from now on */
  | { readonly kind: 'promote' }
  /** the previous authority is published no longer */
  | { readonly kind: 'drop' }
  /** the time of the last step cannot be right, so it counts as now */
  | { readonly kind: 'restamp' };

export interface AuthoritySituation {
  readonly state: AuthorityState;
  /** when the last certificate of another authority was replaced, ms since the epoch; `undefined`: some may still be in use */
  readonly replacedAt: number | undefined;
  /** ms since the epoch, by the API server */
  readonly now: number;
  /**
   * ms since the epoch, by this machine. An authority is old or has expired only if both clocks have it so: a wrong one must not cost
   * the authority that all clients trust.
   */
  readonly nowHere: number;
}

type Rule = (situation: AuthoritySituation) => AuthorityStep | undefined;

const expired: Rule = (situation) => {
  const { state, now } = situation;
  const { current, next } = state;
  if (current.facts.notAfter > earlierNow(situation)) return undefined;
  const isNextUsable = next !== undefined && isValid(next, now);
  return isNextUsable ? { kind: 'promote' } : { kind: 'create' };
};

const unknownSince: Rule = ({ state: { since }, now }) =>
  since === undefined || since > now + CLOCK_STEP_MS ? { kind: 'restamp' } : undefined;

/** An authority that has never signed gives way to a new one: who stole the key that signs has the other one too. */
const requested: Rule = ({ state }) =>
  isRequested(state) && state.previous === undefined ? { kind: 'begin', cause: 'ByHand' } : undefined;

const nextIsKnown: Rule = (situation) =>
  situation.state.next !== undefined && age(situation) >= PUBLISHED_BEFORE_MS[paceOf(situation.state)]
    ? { kind: 'promote' }
    : undefined;

const previousIsUnused: Rule = (situation) => {
  const { state, replacedAt, now } = situation;
  if (state.previous === undefined) return undefined;
  const pace = paceOf(state);
  const unusedForMs = replacedAt === undefined ? 0 : Math.min(now - replacedAt, age(situation));
  const isUnused = unusedForMs >= PUBLISHED_AFTER_MS[pace];
  const isTooLong = pace === 'ByHand' && age(situation) >= LONGEST_AFTER_BY_HAND_MS;
  return isUnused || isTooLong || state.previous.notAfter <= earlierNow(situation)
    ? { kind: 'drop' }
    : undefined;
};

const old: Rule = (situation) => {
  const { state } = situation;
  const isAlone = state.next === undefined && state.previous === undefined;
  return isAlone && state.current.facts.notAfter - earlierNow(situation) < ROTATED_BEFORE_END_MS
    ? { kind: 'begin', cause: 'Planned' }
    : undefined;
};

const RULES: readonly Rule[] = [expired, unknownSince, requested, nextIsKnown, previousIsUnused, old];

/** The next step of the authorities; `undefined`: they stay as they are. The first rule with a step decides. */
export function planAuthority(situation: AuthoritySituation): AuthorityStep | undefined {
  for (const rule of RULES) {
    const step = rule(situation);
    if (step !== undefined) return step;
  }
  return undefined;
}

/**
 * Why the current authority must not sign now, though it is what it should be.
 * @returns a sentence for people
 */
export function signingProblem({ current }: AuthorityState, now: number): string | undefined {
  if (isValid(current, now)) return undefined;
  const [from, to, there] = [current.facts.notBefore, current.facts.notAfter, now].map((time) =>
    new Date(time).toISOString(),
  );
  return `the certificate authority is valid from ${from} to ${to}, and it is ${there} on the API server: correct the clock that is wrong; if that was another one, replace the authority by hand`;
}

/**
 * The authorities after a step.
 * @param fresh for `create` and `begin`: the authority that was made
 */
export function afterStep(
  before: AuthorityState | undefined,
  step: AuthorityStep,
  fresh: () => SigningAuthority,
  now: number,
): AuthorityState {
  const { requested: request, answered } = before ?? {};
  if (before === undefined || step.kind === 'create')
    return { current: fresh(), since: now, requested: request, answered: request };
  switch (step.kind) {
    case 'begin': {
      const done = step.cause === 'ByHand' ? request : answered;
      return { ...before, next: fresh(), since: now, cause: step.cause, answered: done };
    }
    case 'promote': {
      const { current, next = current } = before;
      return { ...before, current: next, next: undefined, previous: current.facts, since: now };
    }
    case 'drop':
      return { ...before, previous: undefined, since: now, cause: undefined };
    case 'restamp':
      return { ...before, since: now };
  }
}

/** A request also hurries a planned rotation that is under way. */
function paceOf(state: AuthorityState): RotationCause {
  return isRequested(state) ? 'ByHand' : (state.cause ?? 'Planned');
}

function isRequested({ requested: request, answered }: AuthorityState): boolean {
  return request !== undefined && request !== answered;
}

function isValid({ facts }: SigningAuthority, now: number): boolean {
  return facts.notBefore <= now && now < facts.notAfter;
}

function earlierNow({ now, nowHere }: AuthoritySituation): number {
  return Math.min(now, nowHere);
}

function age({ state: { since }, now }: AuthoritySituation): number {
  return now - (since ?? now);
}
