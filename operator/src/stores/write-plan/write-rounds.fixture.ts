import { CONFIG_MAPS, SERVICES } from '../../kubernetes/resources.ts';
import type { ObservedObject, ObservedStore } from '../observed.ts';
import { appliedObjects, but, wellStore } from '../situation.fixture.ts';
import { desiredFor } from '../stores.fixture.ts';
import { planWrites } from './plan-writes.ts';
import type { WriteAction, WriteOutcome } from './write-action.ts';
import { beginRound, NOTHING_WRITTEN, record, type WriteState } from './write-state.ts';

export const desired = desiredFor();
export const [config = '', reaperConfig = ''] = desired
  .filter(({ resource }) => resource === CONFIG_MAPS)
  .map(({ object }) => object.metadata.name);
export const observedWith = (objects: readonly ObservedObject[]): ObservedStore =>
  but(wellStore(), { objects }).observed;
export const NEW = observedWith([]);
export const live = appliedObjects(desired);
export const WELL = observedWith(live);

export const text = (action: WriteAction): string => {
  if (action.kind === 'delete') return `delete ${action.object.resource.kind} ${action.object.name}`;
  const { object } = action.desired;
  const how = action.kind === 'apply' && action.force ? ' by force' : '';
  return `${action.kind} ${object.kind} ${object.metadata.name}${how}`;
};

export type Answers = (action: string, times: number) => WriteOutcome | undefined;

/** An API server that takes everything but what `answers` says, and keeps it. */
export function round(
  observed: ObservedStore,
  before: WriteState = NOTHING_WRITTEN,
  answers: Answers = () => undefined,
  nowMs = 0,
) {
  const done: string[] = [];
  let state = beginRound(before, observed.store, nowMs);
  for (;;) {
    const plan = planWrites(observed, desired, state, nowMs);
    if (plan.actions.length === 0) return { done, state, lookAgainAfterMs: plan.lookAgainAfterMs };
    for (const action of plan.actions) {
      const name = text(action);
      done.push(name);
      if (done.length > 100) throw new Error(`no end: ${done.join(', ')}`);
      const outcome = answers(name, done.filter((each) => each === name).length) ?? success(action);
      state = record(state, action, outcome, nowMs);
      if (outcome.kind !== 'applied' && outcome.kind !== 'deleted') break;
    }
  }
}

export function success(action: WriteAction): WriteOutcome {
  if (action.kind === 'delete') return { kind: 'deleted' };
  if (action.kind === 'replace-ports') return { kind: 'patched' };
  const object = appliedObjects([action.desired])[0];
  if (object === undefined) throw new Error('nothing was applied');
  return action.kind === 'look' ? { kind: 'found', object: undefined } : { kind: 'applied', object };
}

export function refused(status: number, message = 'refused', resource = SERVICES): WriteOutcome {
  return { kind: 'refused', status, refusal: { resource, namespace: 'payments', name: 'orders', message } };
}
export const theirs = (object: ObservedObject): ObservedObject => ({
  ...object,
  store: undefined,
  controller: 'another uid',
});
export const named = (resource: object, name: string) => {
  const found = live.find((object) => object.resource === resource && object.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};
export const found = (object: ObservedObject | undefined): WriteOutcome => ({ kind: 'found', object });
export const answering =
  (...pairs: readonly [action: string, outcome: WriteOutcome][]): Answers =>
  (action) =>
    pairs.find(([name]) => name === action)?.[1];

export const GATEWAY_PODS = 'apply Deployment orders-gateway';
export const REAPER_PODS = 'apply Deployment orders-reaper';
