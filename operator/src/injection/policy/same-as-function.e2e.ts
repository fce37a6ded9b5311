import { beforeAll, expect, test } from 'vitest';
import { ApiError, type KubernetesObject } from '../../kubernetes/api.ts';
import { applyPatch } from '../apply-patch.ts';
import { injectSidecar } from '../inject-sidecar.ts';
import { PODS, SETTINGS, STORE } from '../pods.fixture.ts';
import type { RawPod } from '../raw-pod.ts';
import { POLICY_SETTINGS, policyBed, type Spec } from './policy-bed.fixture.ts';

const { makeNamespace, makePod, applyPolicy } = policyBed();
const INJECT = 'largepayload.dev/inject';
const LABEL = `${STORE.name}.${STORE.namespace}`;
const OTHER = 'billing';

/** Every character that CEL or JSON treats specially, in values that the API server takes. */
const STRANGE_STORE = { name: 'strange', namespace: 'orders' };
const STRANGE: Spec = {
  allowedNamespaces: [OTHER],
  thresholdSize: '1Mi',
  sidecar: { resources: { limits: { 'example.com/gpu': 1, memory: '512Mi' }, requests: { cpu: '0.5' } } },
};
const STRANGE_SETTINGS = {
  ...POLICY_SETTINGS,
  image: `o'"\\$(A)\${b}/image:1`,
  version: 'it\'s "1"\n\\2',
  imagePullSecrets: ['one', 'two'],
  runAsUser: undefined,
};

beforeAll(async () => {
  await makeNamespace(STORE.namespace);
  await makeNamespace(OTHER);
  await applyPolicy(STORE, { thresholdSize: 128_000, allowedNamespaces: [OTHER] }, OTHER);
  await applyPolicy(STRANGE_STORE, STRANGE, OTHER, STRANGE_SETTINGS);
});

/** What the API server makes of a pod, without what differs between any two pods; or why it refuses the pod. */
async function made(pod: RawPod): Promise<unknown> {
  const { namespace = STORE.namespace } = pod.metadata as { namespace?: string };
  try {
    return plain(await makePod(namespace, pod));
  } catch (error) {
    if (error instanceof ApiError) return error.message.replaceAll(/pod-[0-9]+/g, 'NAME');
    throw error;
  }
}

function plain({ metadata, spec }: KubernetesObject) {
  const { [INJECT]: _label, ...labels } = metadata.labels ?? {};
  return { labels, annotations: metadata.annotations ?? {}, spec };
}

/** The pod with the label that asks for a store. */
function asking(pod: RawPod, label: string): RawPod {
  const metadata = pod.metadata as { labels?: object };
  return { ...pod, metadata: { ...metadata, labels: { ...metadata.labels, [INJECT]: label } } };
}

test.each(Object.entries(PODS))(
  '%s: the policy does what the function does',
  async (_name, { pod, outcome }) => {
    const result = injectSidecar(pod, STORE, SETTINGS);
    const expected = await made(result.kind === 'injected' ? applyPatch(pod, result.patch) : pod);
    const found = await made(asking(pod, LABEL));
    expect(found).toEqual(expected);
    // Two refusals, or two pods that stay as they are, would be equal as well.
    const text = JSON.stringify(found);
    if (outcome === 'injected') expect(text).toContain('"large-payload-sidecar"');
  },
);

test.each([STORE.namespace, OTHER])(
  'a pod of namespace %s gets every character of image, version and resources as the function writes it',
  async (namespace) => {
    const metadata = { namespace };
    const pod = { metadata, spec: { containers: [{ name: 'worker', image: 'worker:1' }] } };
    const store = { ...STRANGE_STORE, spec: STRANGE };
    const result = injectSidecar(pod, store, STRANGE_SETTINGS);
    if (result.kind !== 'injected') throw new Error(result.message);
    const found = await made(asking(pod, 'strange.orders'));
    expect(found).toEqual(await made(applyPatch(pod, result.patch)));
    expect(found).toMatchObject({ spec: { initContainers: [{ image: STRANGE_SETTINGS.image }] } });
  },
);

test.each([
  ['20 containers with 500 variables each', 20, 500],
  ['one container with 5,000 variables', 1, 5_000],
])(
  '%s: the policy stays within the limits of CEL, and adds what they lack',
  async (_what, containers, variables) => {
    const env = Array.from({ length: variables }, (_, index) => ({ name: `V${index}` }));
    const spec = {
      containers: Array.from({ length: containers }, (_, index) => ({
        ...{ name: `worker-${index}`, image: 'worker:1', env },
      })),
    };
    const pod = await makePod(OTHER, asking({ metadata: {}, spec }, LABEL));
    const lengths = (pod.spec as typeof spec).containers.map((each) => each.env.length);
    expect(lengths).toEqual(Array(containers).fill(variables + 2));
  },
);
