import {
  INJECT_LABEL,
  SERVICE_URL_VARIABLE,
  SIDECAR_CONTAINER,
  SIDECAR_VOLUME,
} from '@largepayload/operator/injection/names';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { PodApi } from './pod-api.fixture.ts';
import {
  gateway,
  injectionMode,
  storeThrough,
  untilEnded,
  untilInjecting,
  untilStarted,
} from './worker-bed.fixture.ts';
import { injectedFor, injectionOf, type Pod, Workers } from './worker-pod.fixture.ts';

const cluster = await suiteCluster();
const workers = new Workers(cluster);
const mode = await injectionMode();
/** The store's namespace, and that of the workers. */
let stores: StoreBed;
let bed: StoreBed;
let api: PodApi;
let store = '';

beforeAll(async () => {
  stores = await StoreBed.make('stores');
  store = `orders.${stores.namespace}`;
  bed = await StoreBed.make('shapes', { [INJECT_LABEL]: store });
  await stores.applyStore('orders', { gateway, allowedNamespaces: [bed.namespace] });
  await stores.applyStore('invoices', {
    ...{ gateway, allowedNamespaces: [bed.namespace], storage: stores.s3Storage({ prefix: 'invoices/' }) },
  });
  api = await PodApi.start(cluster);
  const other = { [INJECT_LABEL]: `invoices.${stores.namespace}` };
  await Promise.all([
    untilInjecting(api, bed),
    untilInjecting(api, bed, other),
    ...['orders', 'invoices'].map((name) => stores.untilReady(name)),
  ]);
});

afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await bed?.[Symbol.asyncDispose]();
  await stores?.[Symbol.asyncDispose]();
});

/** Makes the pod. @throws Error when it is refused */
async function made(pod: object): Promise<{ pod: Pod; warnings: readonly string[] }> {
  const { pod: admitted, warnings, refusal } = await api.create(bed.namespace, pod);
  if (admitted === undefined) throw new Error(`refused: ${refusal}`);
  return { pod: admitted, warnings };
}

/** Makes the pod, which stores and fetches a payload. @returns it as it runs */
async function storing(pod: Pod): Promise<Pod> {
  const { pod: admitted } = await made(pod);
  expect(injectionOf(admitted)).toEqual(injectedFor(store));
  const started = await untilStarted(bed, pod.metadata.name);
  await storeThrough(started);
  return started;
}

test.concurrent('a pod without init containers, volumes and labels gets a sidecar, and stores through it', async () => {
  await storing(workers.pod('bare'));
  show(
    'injected: bare pod, no initContainers, no volumes',
    `stores in ${store}, which is in another namespace`,
  );
});

test.concurrent('a pod whose containers run as root gets a sidecar that does not', async () => {
  const container = workers.relay({ securityContext: {} });
  const root = workers.pod('root', { securityContext: { runAsUser: 0 }, containers: [container] });
  const { spec } = await storing(root);
  const sidecar = spec.initContainers?.find(({ name }) => name === SIDECAR_CONTAINER);
  expect(sidecar?.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65_532 });
  show('injected: pod that runs as root', 'stores; the sidecar runs as 65532');
});

test.concurrent('a pod of 20 containers gets a sidecar, and each container the variables', async () => {
  const more = Array.from({ length: 19 }, (_, index) => workers.container(`more-${index}`, ['--version']));
  const containers = [workers.relay(), ...more];
  await made(workers.pod('twenty', { containers, restartPolicy: 'Never' })).then(({ pod }) =>
    expect(injectionOf(pod)).toEqual(injectedFor(store)),
  );
  await storeThrough(await untilStarted(bed, 'twenty'));
  show('injected: 20 containers', 'each has the variables; stores');
});

test.concurrent('a pod with init containers has its sidecar before them, so that they may store too', async () => {
  const initContainers = [workers.check('prepare')];
  await storing(workers.pod('prepared', { initContainers }));
  show(
    'injected: init containers of its own',
    'the sidecar is the first, an init container stores through it',
  );
});

test.concurrent('a pod without a token of the API gets a sidecar that has a token of its own', async () => {
  await storing(workers.pod('no-token', { automountServiceAccountToken: false }));
  show('injected: automountServiceAccountToken: false', 'stores');
});

test.concurrent('an ephemeral container stores through the sidecar of the pod that it debugs', async () => {
  await storing(workers.pod('debugged'));
  const check = workers.check('debugger');
  const url = '--url=http://127.0.0.1:8577';
  const more = [
    '--container=debugger',
    `--image=${check.image}`,
    '--image-pull-policy',
    `${check.imagePullPolicy}`,
  ];
  const options = [...more, '--attach=false', '--profile=restricted'];
  await bed.kubectl('debug', 'debugged', ...options, '--', '/nodejs/bin/node', ...(check.args ?? []), url);
  const ended = '{.status.ephemeralContainerStatuses[0].state.terminated.exitCode}';
  await bed.kubectl('wait', 'pod/debugged', `--for=jsonpath=${ended}=0`, '--timeout=120s');
  expect(await bed.kubectl('logs', 'debugged', '--container=debugger')).toContain('digest verified');
  show('ephemeral container (kubectl debug)', 'stores through the sidecar of the pod');
});

test.concurrent('a pod that has its own URL of the service keeps it', async () => {
  const env = [{ name: SERVICE_URL_VARIABLE, value: 'http://own.example:1' }];
  const { pod } = await made(workers.pod('own-url', { containers: [workers.idle('worker', { env })] }));
  expect(injectionOf(pod)).toEqual(injectedFor(store));
  expect(pod.spec.containers[0]?.env?.filter(({ name }) => name === SERVICE_URL_VARIABLE)).toEqual(env);
  show('injected: LARGE_PAYLOAD_SERVICE_URL of its own', 'kept');
});

test.concurrent('a pod that names another store by its label gets a sidecar of that store', async () => {
  const labels = { [INJECT_LABEL]: `invoices.${stores.namespace}` };
  const { pod } = await made(workers.pod('other-store', { labels }));
  expect(injectionOf(pod)).toEqual(injectedFor(`invoices.${stores.namespace}`));
  const started = await untilStarted(bed, 'other-store');
  const { key, size, digest } = await storeThrough(started);
  expect({ key, size, digest }).toBeDefined();
  show(
    'two stores in one namespace, by the label of a pod',
    'the pod has the sidecar of its store, and stores in it',
  );
});

const NONE = { store: undefined, place: -1, sidecars: 0, withoutVariables: ['worker'] };

test.concurrent('a pod with the label "false" is left alone, and nothing warns of it', async () => {
  const labels = { [INJECT_LABEL]: 'false' };
  const { pod, warnings } = await made(workers.pod('opted-out', { labels, containers: [workers.idle()] }));
  expect(injectionOf(pod)).toEqual(NONE);
  expect(warnings).toEqual([]);
  show('not injected: label "false"', 'runs without a sidecar, no warning');
});

test.concurrent('a pod on the network of its node is left alone, and runs', async () => {
  const pod = workers.pod('host-network', { hostNetwork: true, containers: [workers.idle()] });
  const { pod: admitted, warnings } = await made(pod);
  expect(injectionOf(admitted)).toEqual(NONE);
  if (mode === 'Webhook') expect(warnings.join(' ')).toMatch(/hostNetwork/);
  await untilStarted(bed, 'host-network');
  show('not injected: hostNetwork', `runs without a sidecar; warnings: ${warnings.join(' ') || 'none'}`);
});

test.concurrent.for([
  ['nodeSelector', { nodeSelector: { 'kubernetes.io/os': 'windows' } }],
  ['spec.os', { os: { name: 'windows' } }],
] as const)('a pod for Windows, by %s, is left alone', async ([by, spec]) => {
  // The API server refuses fields of Linux in pods whose spec.os is Windows.
  const containers = [workers.idle('worker', { securityContext: undefined })];
  const { pod, warnings } = await made(workers.pod(`windows-${by.length}`, { containers, ...spec }));
  expect(injectionOf(pod)).toEqual(NONE);
  if (mode === 'Webhook') expect(warnings.join(' ')).toMatch(/Windows/);
  show(`not injected: Windows by ${by}`, `admitted as it is; warnings: ${warnings.join(' ') || 'none'}`);
});

test.concurrent.for([
  ['container', { containers: [workers.idle(), workers.idle(SIDECAR_CONTAINER)] }],
  ['volume', { containers: [workers.idle()], volumes: [{ name: SIDECAR_VOLUME, emptyDir: {} }] }],
] as const)('a pod with a %s that has the name of ours is left alone, and runs', async ([what, spec]) => {
  const { pod, warnings } = await made(workers.pod(`same-name-${what}`, spec));
  expect(injectionOf(pod)).toMatchObject({ store: undefined, sidecars: 0 });
  expect(warnings.join(' ')).toContain(SIDECAR_CONTAINER);
  await untilStarted(bed, `same-name-${what}`);
  show(`not injected: a ${what} named like ours`, `runs as it is; warnings: ${warnings.join(' ') || 'none'}`);
});

test.concurrent.for([8_577, 8_578])(
  'a worker that listens on port %i of the sidecar fails by itself, and the sidecar runs',
  async (port) => {
    const name = `port-${port}`;
    const args = ['-e', `net.createServer().listen(${port})`];
    const container = workers.container('worker', args, { ports: [{ containerPort: port }] });
    const { pod, warnings } = await made(
      workers.pod(name, { containers: [container], restartPolicy: 'Never' }),
    );
    expect(injectionOf(pod)).toEqual(injectedFor(store));
    if (mode === 'Webhook') expect(warnings.join(' ')).toContain(`${port}`);
    expect(await untilEnded(bed, name)).toBe('Failed');
    expect(await bed.kubectl('logs', name, '--container=worker')).toContain(
      `EADDRINUSE: address already in use`,
    );
    const { status } = await bed.json<Pod>('get', 'pod', name);
    expect(status?.initContainerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0]);
    show(
      `worker that listens on ${port}`,
      `the worker fails with EADDRINUSE, the sidecar runs; warnings: ${warnings.join(' ') || 'none'}`,
    );
  },
);
