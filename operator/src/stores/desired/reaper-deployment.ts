import type { KubernetesObject } from '../../kubernetes/api.ts';
import { selectorLabels } from '../labels.ts';
import { componentName } from '../names.ts';
import { computeResources, REAPER_RESOURCES } from './compute-resources.ts';
import type { Config } from './config-map.ts';
import { metadataOf, type StoreContext } from './context.ts';
import { NEW_BEFORE_OLD } from './gateway-deployment.ts';
import { podTemplate } from './pod-template.ts';

const GRACE_SECONDS = 60;

/** The one pod that removes expired payloads. While it is replaced, two pods may do so, which is harmless. */
export function reaperDeployment(context: StoreContext, config: Config): KubernetesObject {
  const { name, spec } = context;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(context, componentName(name, 'reaper'), 'reaper'),
    spec: {
      replicas: 1,
      revisionHistoryLimit: 2,
      // Undoes a person's pause, behind which edits would wait for ever.
      paused: false,
      selector: { matchLabels: selectorLabels(name, 'reaper') },
      strategy: NEW_BEFORE_OLD,
      template: podTemplate(context, config, {
        component: 'reaper',
        args: [],
        ports: [],
        resources: computeResources(REAPER_RESOURCES, spec.reaper?.resources),
        terminationGracePeriodSeconds: GRACE_SECONDS,
      }),
    },
  };
}
