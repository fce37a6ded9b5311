import type { Authentication } from '@largepayload/crds';
import { effectiveAuthentication } from '../authentication.ts';
import { hasReaper } from '../desired-objects.ts';
import { conditionOf } from '../read-store.ts';
import { certificateNotMade } from './certificate-not-made.ts';
import { certificatesElsewhere } from './certificates-elsewhere.ts';
import { componentProblem, count, isAvailable, isUpToDate } from './component-problem.ts';
import { type ComponentView, type Situation, viewOf } from './component-view.ts';
import {
  type Finding,
  firstFinding,
  no,
  PASSING,
  type Predicate,
  unknown,
  type Verdict,
  yes,
} from './finding.ts';
import { servingProblem, servingUnknown } from './serving-problem.ts';
import { storeProblem } from './store-problems.ts';

interface Views {
  readonly situation: Situation;
  readonly gateway: ComponentView;
  /** `undefined`: the store needs none */
  readonly reaper: ComponentView | undefined;
}

const resourceProblem: Predicate<Views> = ({ situation, gateway }) => {
  const problem = storeProblem(situation);
  if (problem === undefined || problem.reason === 'Deleting' || !isAvailable(gateway)) return problem;
  return previousServes(problem);
};

const gatewayProblem: Predicate<Views> = ({ gateway }) => {
  if (!isAvailable(gateway)) return componentProblem(gateway);
  if (isUpToDate(gateway)) return undefined;
  const problem = componentProblem(gateway);
  return PASSING.has(problem.reason) ? problem : previousServes(problem);
};

const storageProblem: Predicate<Views> = ({ gateway }) => servingProblem(gateway);

const reaperProblem: Predicate<Views> = ({ reaper }) => {
  if (reaper === undefined || (isAvailable(reaper) && isUpToDate(reaper))) return undefined;
  const { reason, message } = componentProblem(reaper);
  return { reason, message: `payloads are stored and served, and those that expire stay: ${message}` };
};

/** Whether the store is as its resource demands: rolled out, serving, and its reaper is up. */
export function ready(situation: Situation): Verdict {
  const { spec } = situation.observed.store;
  const gateway = viewOf(situation, 'gateway');
  const reaper = spec !== undefined && hasReaper(spec) ? viewOf(situation, 'reaper') : undefined;
  const views = { situation, gateway, reaper };
  const problem = firstFinding([resourceProblem, gatewayProblem, storageProblem, reaperProblem], views);
  if (problem !== undefined) return no(problem);
  const unreachable = servingUnknown(gateway);
  return unreachable === undefined ? well(gateway) : unknown(storageUnknown(unreachable));
}

/** A gateway stays ready for the kubelet once it was ready. That its storage failed since is in its status report only. */
function storageUnknown({ reason, message }: Finding): Finding {
  return {
    reason,
    message: `gateways are up; whether their storage still works cannot be told: ${message}`,
  };
}

/** Who is served without a token, for the end of a sentence. */
const WITHOUT_TOKEN: Readonly<Record<Authentication, string>> = {
  Token: '',
  Migrate: ', also for callers without a token (status.authentication is Migrate)',
  None: ', for all callers, because tokens are not looked at (status.authentication is None)',
};

/** All gateways that serve are up to date. There may be fewer of them than the resource asks for. */
function well(gateway: ComponentView): Verdict {
  const { available = 0, wanted = 0 } = gateway.deployment ?? {};
  const authentication = effectiveAuthentication(gateway.situation.observed.store);
  const serving = `payloads are stored and served${WITHOUT_TOKEN[authentication]}`;
  if (available >= wanted) {
    const problem = certificateNotMade(gateway.situation) ?? certificatesElsewhere(gateway.situation);
    return problem === undefined
      ? yes('Ready', serving)
      : yes(problem.reason, `${serving}; ${problem.message}`);
  }
  const problem = componentProblem(gateway);
  if (PASSING.has(problem.reason) || isFollowing(gateway.situation, problem)) {
    return yes('Ready', `${serving}, so far by ${available} of ${wanted} gateway pods`);
  }
  const few = `only ${available} of ${count(wanted, 'gateway')} available`;
  return yes('FewerPods', `${serving}, though ${few}: ${problem.message}`);
}

/** Problems that all gateways of a store have in common: when one gateway is over it, the others will be soon. */
const COMMON: ReadonlySet<string> = new Set([
  'BucketMissing',
  'SecretMissing',
  'StorageDenied',
  'StorageUnavailable',
]);
/** Gateways try again every 15 s, and the operator polls them as often. */
const TIME_TO_FOLLOW_MS = 40_000;

function isFollowing({ observed, now }: Situation, { reason }: Finding): boolean {
  if (!COMMON.has(reason)) return false;
  const before = conditionOf(observed.store.status, 'Ready');
  return before?.status !== 'True' || now - Date.parse(before.lastTransitionTime) < TIME_TO_FOLLOW_MS;
}

function previousServes({ reason, message }: Finding): Finding {
  return { reason, message: `the previous configuration keeps serving, as the new one cannot: ${message}` };
}
