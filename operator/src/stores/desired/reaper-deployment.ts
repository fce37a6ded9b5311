import type { KubernetesObject } from '../../kubernetes/api.ts';
import { selectorLabels } from '../labels.ts';
import { componentName } from '../names.ts';
import { computeResources, REAPER_RESOURCES } from './compute-resources.ts';
import type { Config } from './config-map.ts';
import { metadataOf, type StoreContext } from './context.ts';
import { NEW_BEFORE_OLD } from './gateway-deployment.ts';
import { podTemplate } from './pod-template.ts';

/** s */
const GRACE = 60;

/** The one pod that removes expired payloads. That two do so for a moment, when it is replaced, does no harm. */
export function reaperDeployment(context: StoreContext, config: Config): KubernetesObject {
  const { name, spec } = context;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(context, componentName(name, 'reaper'), 'reaper'),
    spec: {
      replicas: 1,
      revisionHistoryLimit: 2,
      // Said, so that a pause of somebody's is undone: edits would wait behind it for ever.
      paused: false,
      selector: { matchLabels: selectorLabels(name, 'reaper') },
      strategy: NEW_BEFORE_OLD,
      template: podTemplate(context, config, {
        component: 'reaper',
        args: [],
        ports: [],
        resources: computeResources(REAPER_RESOURCES, spec.reaper?.resources),
        terminationGracePeriodSeconds: GRACE,
      }),
    },
  };
}
