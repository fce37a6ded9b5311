import { effectiveAuthentication } from './authentication.ts';
import type { DesiredObject } from './desired-objects.ts';
import type { StoreResource } from './read-store.ts';
import { desiredDeployment } from './rollout.ts';

/**
 * The objects to apply now. A pod that starts without the Secret of its certificate finds the Secret a minute or two later only, as
 * the kubelet looks again. So the first gateways of a store that needs a certificate wait while that is being made.
 * @param isPending the namespace has no certificate yet, and nothing keeps one from being made
 */
export function certificateFirst(
  store: StoreResource,
  desired: readonly DesiredObject[],
  { isPending, hasGateway }: { readonly isPending: boolean; readonly hasGateway: boolean },
): readonly DesiredObject[] {
  if (!isPending || hasGateway || effectiveAuthentication(store) !== 'Token') return desired;
  const gateway = desiredDeployment(store, desired, 'gateway');
  return desired.filter((object) => object !== gateway);
}
