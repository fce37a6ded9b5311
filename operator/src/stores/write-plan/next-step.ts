import {
  CONFIG_MAPS,
  POD_DISRUPTION_BUDGETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../../kubernetes/resources.ts';
import type { DesiredObject } from '../desired-objects.ts';
import type { ObservedObject } from '../observed.ts';
import { isOurs } from '../ownership.ts';
import type { StoreResource } from '../read-store.ts';
import { type AppliedObject, judge, versionOf } from './applied-object.ts';
import type { Attempt } from './attempt.ts';
import { onlyOurPorts } from './only-our-ports.ts';
import type { WriteAction } from './write-action.ts';

/** The API server's message about two ports of one name. */
const PORT_TWICE = /ports\[\d+\]\.name: Duplicate value/;

/** Kinds of which an object of somebody else may have no field that an apply conflicts with, so that it would be taken over. */
const NEED_NOT_CONFLICT: ReadonlySet<unknown> = new Set([
  CONFIG_MAPS,
  POD_DISRUPTION_BUDGETS,
  SERVICE_ACCOUNTS,
  SERVICES,
]);

export interface Subject {
  readonly store: StoreResource;
  readonly desired: DesiredObject;
  /** the object of that name as the informers have it, or an earlier look */
  readonly live: ObservedObject | undefined;
  readonly attempt: Attempt;
  readonly applied: AppliedObject | undefined;
  readonly nowMs: number;
}

/** What to do next about one desired object. */
export interface Step {
  readonly action?: WriteAction | undefined;
  /** There is no such object of the store, so that nothing may rely on it. */
  readonly isMissing: boolean;
  readonly lookAgainAfterMs?: number | undefined;
}

export function nextStep({ store, desired, live, attempt, applied, nowMs }: Subject): Step {
  const { look, refused, isDone } = attempt;
  if (isDone) return { isMissing: false };
  const found = look === undefined ? live : look.found;
  const isMissing = found === undefined || !isOurs(found, store);
  if (refused !== undefined) return { action: afterRefusal(desired, attempt, isMissing), isMissing };
  const lookNow: Step = { action: { kind: 'look', desired }, isMissing: true };
  const isForeign = found !== undefined && isMissing;
  if (isForeign) return look === undefined ? lookNow : { isMissing };
  const verdict = judge(applied, desired.hash, found && versionOf(found), nowMs);
  if (!verdict.apply) return { isMissing: false, lookAgainAfterMs: verdict.lookAgainAfterMs };
  if (found === undefined && look === undefined && mayTakeOver(desired)) return lookNow;
  return { action: { kind: 'apply', desired, force: found !== undefined }, isMissing: false };
}

/**
 * Whether an apply may take over an object of somebody else unnoticed. A configuration is named by the hash of its content: an object
 * of that name with another configuration conflicts.
 */
function mayTakeOver({ resource, object }: DesiredObject): boolean {
  return NEED_NOT_CONFLICT.has(resource) && object.immutable !== true;
}

/** What may help after a refused apply; `undefined`: nothing in this round. */
function afterRefusal(
  desired: DesiredObject,
  { refused, look, portsReplaced }: Attempt,
  isMissing: boolean,
): WriteAction | undefined {
  if (refused === undefined) return undefined;
  const { status, byForce, refusal } = refused;
  if (!byForce) {
    // An object of ours that has lost its labels conflicts, and no informer has it.
    if (look === undefined) return status === 409 ? { kind: 'look', desired } : undefined;
    return isMissing ? undefined : { kind: 'apply', desired, force: true };
  }
  if (status !== 422 || !PORT_TWICE.test(refusal.message) || portsReplaced) return undefined;
  const patch = onlyOurPorts(desired.object);
  return patch && { kind: 'replace-ports', desired, patch };
}
