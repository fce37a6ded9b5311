import type { Logger } from 'pino';
import type { StoreView } from './cluster/store-view.ts';
import { injectionSettings } from './injection-settings.ts';
import type { KubernetesApi } from './kubernetes/api.ts';
import type { OperatorOptions } from './options.ts';
import { PolicyController } from './reconcile/policies/policy-controller.ts';
import { PolicyRemoval } from './reconcile/policies/policy-removal.ts';

export interface PoliciesContext {
  readonly api: KubernetesApi;
  readonly options: OperatorOptions;
  readonly version: string;
  readonly view: StoreView;
  readonly log: Logger;
}

export type Policies = Pick<PolicyController, 'problemOf' | 'isSettled' | 'onChange' | 'run'>;

/** What the leader does about admission policies: it keeps them as they should be, or removes those of an earlier mode. */
export function policies({ api, options, version, view, log }: PoliciesContext): Policies {
  const { injection, namespace: operatorNamespace } = options;
  if (injection?.mode !== 'Policy') {
    const removal = new PolicyRemoval(api, log);
    const nothing = { problemOf: () => undefined, isSettled: () => true, onChange: () => {} };
    return { ...nothing, run: (signal) => removal.run(signal) };
  }
  const { failurePolicy } = injection;
  const settings = { ...injectionSettings(options, injection, version), failurePolicy, operatorNamespace };
  return new PolicyController({ api, stores: view, settings, log });
}
