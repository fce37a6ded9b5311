import type { LargePayloadStoreStatus } from '@largepayload/crds';
import { asCondition, rfc3339 } from './as-condition.ts';
import { effectiveAuthentication } from './authentication.ts';
import type { Situation } from './conditions/component-view.ts';
import type { Verdict } from './conditions/finding.ts';
import { gatewayAvailable } from './conditions/gateway-available.ts';
import { ready } from './conditions/ready.ts';
import { reaperHealthy } from './conditions/reaper-healthy.ts';
import { lastCompleted } from './conditions/reaper-reports.ts';
import { retentionSafe } from './conditions/retention-safe.ts';
import { selectorText } from './labels.ts';
import { endpointOf } from './names.ts';
import type { ObservedStore } from './observed.ts';

const CONDITIONS: readonly (readonly [string, (situation: Situation) => Verdict])[] = [
  ['Ready', ready],
  ['GatewayAvailable', gatewayAvailable],
  ['ReaperHealthy', reaperHealthy],
  ['RetentionSafe', retentionSafe],
];

/** The whole status that the operator writes. Times in it are RFC 3339. */
export function decideStatus(situation: Situation): LargePayloadStoreStatus {
  const { observed, now } = situation;
  const facts = { store: observed.store, now };
  const { namespace, name, generation } = observed.store;
  const authentication = effectiveAuthentication(observed.store);
  const storageID = storageIdOf(observed);
  const completed = lastCompleted(situation);
  return {
    observedGeneration: generation,
    ...(storageID !== undefined && { storageID }),
    endpoint: endpointOf(name, namespace, authentication),
    authentication,
    replicas: observed.gateway?.replicas ?? 0,
    selector: selectorText(name, 'gateway'),
    ...(completed !== undefined && { retention: { lastCompletedTime: rfc3339(completed) } }),
    conditions: CONDITIONS.map(([type, judge]) => asCondition(facts, type, judge(situation))),
  };
}

/** The storage that a gateway found first stays the store's for ever: an edit must not lead to another one. */
function storageIdOf({ reports, store }: ObservedStore): string | undefined {
  if (store.status.storageID !== undefined) return store.status.storageID;
  for (const poll of reports.values()) {
    if ('report' in poll && poll.report.storageID !== undefined) return poll.report.storageID;
  }
  return undefined;
}
