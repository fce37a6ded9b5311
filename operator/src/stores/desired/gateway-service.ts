import type { KubernetesObject } from '../../kubernetes/api.ts';
import { selectorLabels } from '../labels.ts';
import { componentName, DATA_PORT } from '../names.ts';
import { metadataOf, type StoreContext } from './context.ts';

/** For payloads only: metrics are read from each pod. */
export function gatewayService(context: StoreContext): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(context, componentName(context.name, 'gateway'), 'gateway'),
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(context.name, 'gateway'),
      ports: [{ name: 'data', port: DATA_PORT, targetPort: 'data', protocol: 'TCP', appProtocol: 'http' }],
    },
  };
}
