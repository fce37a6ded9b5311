import { expect, test } from 'vitest';
import { applyPatch } from './apply-patch.ts';
import { injectSidecar } from './inject-sidecar.ts';
import { judgePod } from './judge-pod.ts';
import { PODS, SETTINGS, STORE } from './pods.fixture.ts';
import type { RawPod } from './raw-pod.ts';
import { sidecarFor } from './sidecar.ts';

const SIDECAR = sidecarFor(STORE, SETTINGS);
const WORKER: RawPod = {
  metadata: { name: 'worker', namespace: 'orders' },
  spec: { containers: [{ name: 'worker' }] },
};

function injected(pod: RawPod, store = STORE, settings = SETTINGS): RawPod {
  const result = injectSidecar(pod, store, settings);
  return result.kind === 'injected' ? applyPatch(pod, result.patch) : pod;
}

const judge = (pod: RawPod) => judgePod(pod, STORE, SIDECAR);

const cases = Object.entries(PODS);

test.each(cases.filter(([, { outcome }]) => outcome === 'injected'))(
  '%s: the pod is missed before its injection, and injected after it',
  (_name, { pod }) => {
    expect(judge(pod)).toMatchObject({ kind: 'missed', reason: 'NoSidecar' });
    expect(judge(injected(pod))).toEqual({ kind: 'injected' });
  },
);

test.each(cases.filter(([, { outcome }]) => outcome !== 'injected' && outcome !== 'present'))(
  '%s: the pod is skipped for the reason of its injection',
  (_name, { pod, outcome }) => {
    expect(judge(pod)).toMatchObject({ kind: 'skipped', reason: outcome });
  },
);

const replaced = (pod: RawPod, from: string, to: string) =>
  JSON.parse(JSON.stringify(pod).replaceAll(from, to)) as RawPod;
const annotated = (text: string): RawPod => ({
  ...injected(WORKER),
  metadata: { ...(WORKER.metadata as object), annotations: { 'largepayload.dev/injected': text } },
});

test.each<[string, RawPod, object]>([
  [
    'of another store',
    injected(WORKER, { ...STORE, name: 'images' }),
    { kind: 'missed', reason: 'OtherStore' },
  ],
  [
    'of a store with the same name elsewhere',
    injected(WORKER, { ...STORE, namespace: 'billing' }),
    { kind: 'missed', reason: 'OtherStore' },
  ],
  [
    'with an annotation of the right store, but another token',
    replaced(injected(WORKER), 'largepayload.dev/orders/documents', 'largepayload.dev/orders/images'),
    { kind: 'missed', reason: 'OtherStore' },
  ],
  [
    'without restartPolicy',
    replaced(injected(WORKER), '"restartPolicy":"Always",', ''),
    { kind: 'missed', reason: 'RestartPolicyRemoved' },
  ],
  [
    'with an earlier image',
    injected(WORKER, STORE, { ...SETTINGS, image: 'earlier' }),
    { kind: 'outdated', reason: 'SidecarChanged' },
  ],
  [
    'by an earlier version that made the same',
    injected(WORKER, STORE, { ...SETTINGS, version: '0.9.0' }),
    { kind: 'injected' },
  ],
  ['by hand, without annotation', { ...injected(WORKER), metadata: WORKER.metadata }, { kind: 'injected' }],
  ['with an annotation that is no JSON', annotated('{'), { kind: 'outdated' }],
  ['with an annotation without hash', annotated('null'), { kind: 'outdated' }],
])('a sidecar %s', (_what, pod, verdict) => {
  expect(judge(pod)).toMatchObject(verdict);
});

test('a sidecar in another namespace than the store is injected as one of the own namespace', () => {
  const pod = { ...WORKER, metadata: { namespace: 'billing' } };
  expect(judge(injected(pod))).toEqual({ kind: 'injected' });
});

test('no sidecar counts as outdated while the current one is unknown', () => {
  const earlier = injected(WORKER, STORE, { ...SETTINGS, image: 'earlier' });
  expect(judgePod(earlier, STORE, undefined)).toEqual({ kind: 'injected' });
  expect(judgePod(WORKER, STORE, undefined)).toMatchObject({ kind: 'missed' });
});

test('a pod that the API server has completed is judged like the one that was sent', () => {
  const { spec, ...others } = injected(WORKER) as { spec: { initContainers: object[]; volumes: object[] } };
  const completed = {
    ...others,
    spec: {
      ...spec,
      initContainers: spec.initContainers.map((each) => ({ ...each, terminationMessagePath: '/dev/x' })),
      volumes: [...spec.volumes, { name: 'kube-api-access', projected: { defaultMode: 420, sources: [] } }],
    },
    status: { phase: 'Running' },
  };
  expect(judge(completed)).toEqual({ kind: 'injected' });
});
