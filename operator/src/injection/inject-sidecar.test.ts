import { at, listAt, textAt } from '@largepayload/crds';
import { describe, expect, test } from 'vitest';
import { applyPatch, partsOf } from './apply-patch.ts';
import { injectSidecar } from './inject-sidecar.ts';
import { PODS, SETTINGS, STORE } from './pods.fixture.ts';
import type { RawPod } from './raw-pod.ts';
import { sidecarFor } from './sidecar.ts';

const SIDECAR = sidecarFor(STORE, SETTINGS);
const cases = Object.entries(PODS);
const injectedCases = cases.filter(([, { outcome }]) => outcome === 'injected');
const unskippedCases = cases.filter(([, { outcome }]) => outcome === 'injected' || outcome === 'present');

/** The pod with the patch applied. */
function afterwards(pod: RawPod): RawPod {
  const result = injectSidecar(pod, STORE, SETTINGS);
  return result.kind === 'injected' ? applyPatch(pod, result.patch) : pod;
}

const isSidecar = (container: unknown) => textAt(container, 'name') === 'large-payload-sidecar';
const others = ({ spec }: RawPod) =>
  [...listAt(spec, 'initContainers'), ...listAt(spec, 'containers')].filter((each) => !isSidecar(each));

/** All places where a patch may add something. */
const PLACES =
  /^[/](spec[/](containers|initContainers)[/][0-9]+[/]env|spec[/]initContainers|spec[/]volumes|spec[/]imagePullSecrets|metadata[/]annotations)([/].*)?$/;

test.each(injectedCases)(
  '%s: the pod gets the sidecar first, its volume, pull secret and annotation',
  (_name, { pod }) => {
    const { spec, metadata } = afterwards(pod);
    expect(listAt(spec, 'initContainers')[0]).toEqual(SIDECAR.container);
    expect(listAt(spec, 'initContainers')).toHaveLength(listAt(pod.spec, 'initContainers').length + 1);
    const isOwn = textAt(metadata, 'namespace') === STORE.namespace;
    expect(listAt(spec, 'volumes').at(-1)).toEqual(isOwn ? SIDECAR.volume : SIDECAR.volumeElsewhere);
    expect(listAt(spec, 'imagePullSecrets').filter(({ name }) => name === 'registry')).toHaveLength(1);
    expect(JSON.parse(textAt(metadata, 'annotations', 'largepayload.dev/injected') ?? '')).toEqual(
      SIDECAR.annotation,
    );
  },
);

test.each(unskippedCases)(
  '%s: each other container has both variables once, its own values unchanged',
  (_name, { pod, kept }) => {
    const containers = others(afterwards(pod));
    expect(containers.length).toBeGreaterThan(0);
    for (const container of containers) {
      for (const { name, value } of SIDECAR.environment) {
        const found = listAt(container, 'env').filter((variable) => variable.name === name);
        const own = kept?.[textAt(container, 'name') ?? '']?.[name];
        const expected = own === '' ? {} : typeof own === 'object' ? own : { value: own ?? value };
        expect(found).toEqual([{ name, ...expected }]);
      }
    }
  },
);

test.each(unskippedCases)('%s: the patch adds at known places, and replaces nothing', (_name, { pod }) => {
  const result = injectSidecar(pod, STORE, SETTINGS);
  const patch = result.kind === 'injected' ? result.patch : [];
  for (const { path } of patch) expect(path).toMatch(PLACES);
  let before: unknown = pod;
  for (const operation of patch) {
    const place = at(before, ...partsOf(operation.path));
    const isInsertion = /[/](-|[0-9]+)$/.test(operation.path);
    const isNote = operation.path.endsWith('largepayload.dev~1injected');
    if (!isInsertion && !isNote) expect(place ?? []).toEqual([]);
    before = applyPatch(before, [operation]);
  }
});

test.each(unskippedCases)('%s: a second admission changes nothing', (_name, { pod }) => {
  expect(injectSidecar(afterwards(pod), STORE, SETTINGS)).toEqual({ kind: 'injected', patch: [] });
});

test.each(cases.filter(([, { outcome }]) => outcome === 'present'))(
  '%s: a pod with a sidecar gets variables only',
  (_name, { pod }) => {
    const { spec, metadata } = afterwards(pod);
    expect(listAt(spec, 'initContainers').filter(isSidecar)).toEqual(
      listAt(pod.spec, 'initContainers').filter(isSidecar),
    );
    expect(listAt(spec, 'volumes')).toEqual(listAt(pod.spec, 'volumes'));
    expect(metadata).toEqual(pod.metadata);
  },
);

test.each(cases.filter(([, { outcome }]) => outcome !== 'injected' && outcome !== 'present'))(
  '%s: the pod is skipped, with a message that an admission warning has room for',
  (_name, { pod, outcome }) => {
    const result = injectSidecar(pod, STORE, SETTINGS);
    expect(result).toMatchObject({ kind: 'skipped', reason: outcome });
    const message = result.kind === 'skipped' ? result.message : '';
    expect(message).toMatch(/^no sidecar: the /);
    expect(message).not.toContain('\n');
    expect(message.length).toBeLessThanOrEqual(256);
  },
);

describe('whole results', () => {
  test('the smallest pod gets the whole patch', () => {
    const pod = { metadata: { name: 'worker' }, spec: { containers: [{ name: 'worker' }] } };
    expect(injectSidecar(pod, STORE, SETTINGS)).toEqual({
      kind: 'injected',
      patch: [
        { op: 'add', path: '/spec/containers/0/env', value: SIDECAR.environment },
        { op: 'add', path: '/spec/initContainers', value: [SIDECAR.container] },
        { op: 'add', path: '/spec/volumes', value: [SIDECAR.volume] },
        { op: 'add', path: '/spec/imagePullSecrets', value: [{ name: 'registry' }] },
        {
          op: 'add',
          path: '/metadata/annotations',
          value: { 'largepayload.dev/injected': JSON.stringify(SIDECAR.annotation) },
        },
      ],
    });
  });

  test('a pod with everything of its own gets only what it lacks', () => {
    const pod = {
      metadata: { namespace: 'billing', annotations: { a: 'b' } },
      spec: {
        containers: [
          { name: 'a', env: [{ name: 'LARGE_PAYLOAD_SERVICE_URL', value: 'x' }] },
          { name: 'b', env: [] },
        ],
        initContainers: [{ name: 'c', env: null }],
        volumes: [{ name: 'd' }],
      },
    };
    const [url, threshold] = SIDECAR.environment;
    expect(injectSidecar(pod, STORE, { ...SETTINGS, imagePullSecrets: [] })).toEqual({
      kind: 'injected',
      patch: [
        { op: 'add', path: '/spec/containers/0/env/-', value: threshold },
        { op: 'add', path: '/spec/containers/1/env/-', value: url },
        { op: 'add', path: '/spec/containers/1/env/-', value: threshold },
        { op: 'add', path: '/spec/initContainers/0/env', value: SIDECAR.environment },
        { op: 'add', path: '/spec/initContainers/0', value: SIDECAR.container },
        { op: 'add', path: '/spec/volumes/-', value: SIDECAR.volumeElsewhere },
        {
          op: 'add',
          path: '/metadata/annotations/largepayload.dev~1injected',
          value: expect.stringContaining('"documents.orders"'),
        },
      ],
    });
  });

  test.each([
    {},
    { metadata: null, spec: null },
    { spec: { containers: [null, 7, 'worker', []], initContainers: 'none' } },
  ])('a pod that is none does not make it fail, and its containers stay as they are: %j', (pod) => {
    const result = injectSidecar(pod, STORE, SETTINGS);
    expect(result).toMatchObject({ kind: 'injected' });
    expect(JSON.stringify(result)).not.toContain('/spec/containers');
  });
});
