import { SERVICES } from '../../kubernetes/resources.ts';
import { selectorLabels } from '../labels.ts';
import { DATA_PORT } from '../names.ts';
import { type StoreContext, type StoreObject, storeObject } from './context.ts';

/** For payloads only: metrics are read from each pod. */
export function gatewayService(context: StoreContext): StoreObject {
  return storeObject(context, SERVICES, 'gateway', {
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(context.name, 'gateway'),
      ports: [{ name: 'data', port: DATA_PORT, targetPort: 'data', protocol: 'TCP', appProtocol: 'http' }],
    },
  });
}
