import type { RawPod } from './raw-pod.ts';
import type { InjectedStore, InjectionSettings } from './sidecar.ts';
import type { SkipReason } from './skip-reasons.ts';

export const STORE: InjectedStore = { name: 'documents', namespace: 'orders' };

export const SETTINGS: InjectionSettings = {
  image: 'registry.example.com/payload-store:1.2.3',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: ['registry'],
  runAsUser: 65_532,
  version: '1.2.3',
};

interface Case {
  readonly pod: RawPod;
  /**
   * `injected`: it gets the sidecar, and the variables in all other containers; `present`: it has the sidecar, and gets the
   * variables only; else why it is skipped
   */
  readonly outcome: 'injected' | 'present' | SkipReason;
  /** what the containers have afterwards where that differs from the defaults, by container and variable; `ours`: the injected value */
  readonly kept?: Readonly<Record<string, Readonly<Record<string, string | object>>>>;
}

const URL = 'LARGE_PAYLOAD_SERVICE_URL';
const THRESHOLD = 'LARGE_PAYLOAD_THRESHOLD_BYTES';
const OWN = 'large-payload-sidecar';
const WORKER = { name: 'worker', image: 'worker:1' };
const GATEWAY = 'https://documents-gateway.orders.svc:8577';

function pod(spec: object, metadata: object = {}): Case['pod'] {
  return { metadata: { name: 'worker', namespace: 'orders', ...metadata }, spec };
}

const worker = (fields: object) => pod({ containers: [{ ...WORKER, ...fields }] });
const withSpec = (spec: object) => pod({ containers: [WORKER], ...spec });
const injected = (given: Case['pod'], kept?: Case['kept']): Case => ({
  pod: given,
  outcome: 'injected',
  ...(kept && { kept }),
});
const present = (given: Case['pod'], kept?: Case['kept']): Case => ({
  ...injected(given, kept),
  outcome: 'present',
});
const skipped = (outcome: SkipReason, given: Case['pod']): Case => ({ pod: given, outcome });

const secretRef = { secretKeyRef: { name: 'urls', key: 'url' } };

/** Pods as JSON, and what becomes of each. Webhook, policy and function have to agree on them. */
export const PODS: Readonly<Record<string, Case>> = {
  'no lists at all but containers': injected(withSpec({})),
  'no annotations, but labels': injected(pod({ containers: [WORKER] }, { labels: { app: 'worker' } })),
  'annotations of its own': injected(pod({ containers: [WORKER] }, { annotations: { team: 'billing' } })),
  'an annotation about an earlier sidecar and no sidecar': injected(
    pod({ containers: [WORKER] }, { annotations: { 'largepayload.dev/injected': 'old' } }),
  ),
  'empty lists': injected(withSpec({ initContainers: [], volumes: [], imagePullSecrets: [] })),
  'an init container, a volume and a pull secret': injected(
    withSpec({
      initContainers: [{ name: 'migrate', image: 'migrate:1' }],
      volumes: [{ name: 'scratch', emptyDir: {} }],
      imagePullSecrets: [{ name: 'own' }],
    }),
  ),
  'the pull secret': injected(withSpec({ imagePullSecrets: [{ name: 'registry' }] })),
  'another native sidecar, which comes first': injected(
    withSpec({ initContainers: [{ name: 'proxy', image: 'proxy:1', restartPolicy: 'Always' }] }),
  ),
  'twenty containers': injected(
    pod({
      containers: Array.from({ length: 20 }, (_, position) => ({
        name: `worker-${position}`,
        image: 'worker:1',
      })),
    }),
  ),
  'environment of its own': injected(worker({ env: [{ name: 'A', value: '1' }] })),
  'an empty environment': injected(worker({ env: [] })),
  'an own URL': injected(worker({ env: [{ name: URL, value: 'http://127.0.0.1:9999' }] }), {
    worker: { [URL]: 'http://127.0.0.1:9999' },
  }),
  'an own threshold': injected(worker({ env: [{ name: THRESHOLD, value: '5' }] }), {
    worker: { [THRESHOLD]: '5' },
  }),
  'an own URL without value': injected(worker({ env: [{ name: URL }] }), { worker: { [URL]: '' } }),
  'an own URL and threshold': injected(
    worker({
      env: [
        { name: THRESHOLD, value: '5' },
        { name: URL, value: GATEWAY },
      ],
    }),
    { worker: { [URL]: GATEWAY, [THRESHOLD]: '5' } },
  ),
  'a URL from a secret': injected(worker({ env: [{ name: URL, valueFrom: secretRef }] }), {
    worker: { [URL]: { valueFrom: secretRef } },
  }),
  'a URL that only one of two containers sets': injected(
    pod({
      containers: [
        { ...WORKER, env: [{ name: URL, value: 'http://own' }] },
        { ...WORKER, name: 'second' },
      ],
    }),
    { worker: { [URL]: 'http://own' } },
  ),
  'environment from a ConfigMap': injected(worker({ envFrom: [{ configMapRef: { name: 'settings' } }] })),
  'an own URL in an init container': injected(
    withSpec({
      initContainers: [{ name: 'migrate', image: 'migrate:1', env: [{ name: URL, value: 'http://own' }] }],
    }),
    { migrate: { [URL]: 'http://own' } },
  ),
  'another namespace than the store': injected(pod({ containers: [WORKER] }, { namespace: 'billing' })),
  'root in the whole pod': injected(
    withSpec({ securityContext: { runAsUser: 0, runAsNonRoot: false, fsGroup: 2_000 } }),
  ),
  'a restricted pod': injected(
    withSpec({ securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } }),
  ),
  'a pod that runs once': injected(withSpec({ restartPolicy: 'Never', activeDeadlineSeconds: 60 })),
  'a Linux pod': injected(
    withSpec({ os: { name: 'linux' }, nodeSelector: { 'kubernetes.io/os': 'linux', disk: 'ssd' } }),
  ),
  'hostNetwork that is off': injected(withSpec({ hostNetwork: false })),
  'ports of the sidecar': injected(worker({ ports: [{ containerPort: 8577 }, { containerPort: 8578 }] })),
  'a container port with the name of a port of the sidecar': injected(
    worker({ ports: [{ name: 'payload-metrics', containerPort: 9_000 }] }),
  ),
  'fields that later versions of Kubernetes may have': injected(
    pod({
      containers: [{ ...WORKER, inventedField: { deep: [1, null, 'x'] } }],
      inventedPolicy: 'Sometimes',
    }),
  ),
  'a sidecar that is there already': present(
    withSpec({
      initContainers: [{ name: OWN, image: 'payload-store:old', restartPolicy: 'Always' }],
      volumes: [{ name: OWN, projected: { sources: [] } }],
    }),
  ),
  'a sidecar by hand, whose volume has another name': present(
    withSpec({
      initContainers: [
        { name: 'migrate', image: 'migrate:1' },
        {
          name: OWN,
          image: 'payload-store:mine',
          restartPolicy: 'Always',
          env: [{ name: 'LARGE_PAYLOAD_GATEWAY_URL', value: GATEWAY }],
          volumeMounts: [{ name: 'mine', mountPath: '/var/run/largepayload.dev' }],
        },
      ],
      volumes: [{ name: 'mine', projected: { sources: [] } }],
    }),
  ),
  'a sidecar, and a container that another admission added': present(
    pod({
      initContainers: [{ name: OWN, image: 'payload-store:old', restartPolicy: 'Always' }],
      containers: [
        {
          ...WORKER,
          env: [
            { name: URL, value: 'http://127.0.0.1:8577' },
            { name: THRESHOLD, value: '9' },
          ],
        },
        { name: 'late', image: 'proxy:1' },
      ],
    }),
    { worker: { [THRESHOLD]: '9' } },
  ),
  'the network of the node': skipped('HostNetwork', withSpec({ hostNetwork: true })),
  'the network of the node and a sidecar by hand': skipped(
    'HostNetwork',
    withSpec({ hostNetwork: true, initContainers: [{ name: OWN, image: 'mine', restartPolicy: 'Always' }] }),
  ),
  'Windows by its spec': skipped('Windows', withSpec({ os: { name: 'windows' } })),
  'Windows by its node selector': skipped(
    'Windows',
    withSpec({ nodeSelector: { 'kubernetes.io/os': 'windows' } }),
  ),
  'a worker container with the name of the sidecar': skipped(
    'NameTaken',
    pod({ containers: [WORKER, { name: OWN, image: 'other:1' }] }),
  ),
  'a volume with the name of the volume of the sidecar': skipped(
    'NameTaken',
    withSpec({ volumes: [{ name: OWN, emptyDir: {} }] }),
  ),
  'a static pod': skipped(
    'StaticPod',
    pod({ containers: [WORKER] }, { annotations: { 'kubernetes.io/config.mirror': 'abc' } }),
  ),
  'a pod of a store': skipped(
    'OwnPod',
    pod({ containers: [WORKER] }, { labels: { 'app.kubernetes.io/managed-by': 'large-payload-operator' } }),
  ),
};
