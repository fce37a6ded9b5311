import type { Authentication } from '@largepayload/crds';
import { SERVICES } from '../../kubernetes/resources.ts';
import { selectorLabels } from '../labels.ts';
import { DATA_PORT } from '../names.ts';
import { type StoreContext, type StoreObject, storeObject } from './context.ts';

/** For meshes and ingresses. In Migrate the port takes TLS and plain HTTP, of which they know none. */
const APP_PROTOCOLS: Readonly<Record<Authentication, string>> = {
  Token: 'https',
  Migrate: 'tcp',
  None: 'http',
};

/** For payloads only: metrics are read from each pod. */
export function gatewayService(context: StoreContext): StoreObject {
  const appProtocol = APP_PROTOCOLS[context.authentication];
  return storeObject(context, SERVICES, 'gateway', {
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(context.name, 'gateway'),
      ports: [{ name: 'data', port: DATA_PORT, targetPort: 'data', protocol: 'TCP', appProtocol }],
    },
  });
}
