import { blocksOf, textOf } from '@largepayload/testing/documents/markdown';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { injectSidecar } from '../injection/inject-sidecar.ts';
import { SETTINGS } from '../injection/pods.fixture.ts';
import { selectStore } from '../injection/selection.ts';
import { CHECK_NAMES, diagnose } from './diagnose.ts';
import { printDiagnosis } from './print.ts';
import { ABSENT, found } from './reading.ts';
import {
  binding,
  configMap,
  DENIED,
  documents,
  healthy,
  healthyStore,
  injected,
  namespace,
  operator,
  POLICY,
  pod,
  withPods,
  withPolicy,
  withStore,
} from './situation.fixture.ts';
import type { Situation } from './situation.ts';

const LABEL = 'largepayload.dev/inject';
const INJECTED = 'largepayload.dev/injected';
const waiting = (reason: string, message?: string) => ({
  ...injected('worker-1'),
  status: {
    phase: 'Pending',
    initContainerStatuses: [{ name: 'large-payload-sidecar', state: { waiting: { reason, message } } }],
  },
});
/** Neither a problem nor a warning nor an unknown. */
const isWell = (situation: Situation) => diagnose(situation).findings.filter(({ level }) => level !== 'ok');

describe('where everything is as it should be, each check says so', () => {
  test.each([
    ['by the webhook', healthy(), 'webhook'],
    ['by admission policies', withPolicy(), 'policy'],
    ['in the namespace of the store', inOwnNamespace(), 'webhook'],
  ])('%s', (_way, situation, check) => {
    expect(isWell(situation)).toEqual([]);
    const checks = diagnose(situation).findings.map((finding) => finding.check);
    const others = [
      'certificates',
      'callers',
      'gateway',
      'storage',
      'identity',
      'clock',
      'reaper',
      'retention',
    ];
    expect(checks).toEqual(
      expect.arrayContaining(['namespace', 'operator', 'store', 'pods', check, ...others]),
    );
  });
});

function inOwnNamespace(): Situation {
  const store = healthyStore({ workersCa: found(configMap('documents-ca', 'orders')) });
  const namespaceObject = found(namespace('orders', { [LABEL]: 'documents' }));
  const items = [injected('worker-1')].map((each) => ({
    ...each,
    metadata: { ...each.metadata, namespace: 'orders' },
  }));
  return healthy({
    namespace: 'orders',
    namespaceObject,
    stores: [store],
    pods: found({ items, complete: true }),
  });
}

test('with no right at all, there are unknowns and no other findings', () => {
  const store = healthyStore({
    ...{
      resource: DENIED,
      others: DENIED,
      ownCa: DENIED,
      workersCa: DENIED,
      policy: DENIED,
      bindings: DENIED,
    },
  });
  const situation = healthy({
    ...{
      namespaceObject: DENIED,
      pods: DENIED,
      operator: DENIED,
      webhooks: DENIED,
      webhookEndpoints: DENIED,
    },
    stores: [store],
  });
  const { counts } = diagnose(situation);
  expect(counts).toMatchObject({ ok: 0, warning: 0, problem: 0 });
  expect(counts.unknown).toBeGreaterThan(5);
});

test('a restart is not advised while the store does not allow the namespace', () => {
  const situation = {
    ...withStore({ resource: found(documents({ allowedNamespaces: [] })) }),
    pods: found({ items: [pod('a')], complete: true }),
  };
  const finding = diagnose(situation).findings.find(({ check }) => check === 'pods');
  expect(finding).toMatchObject({ level: 'problem' });
  expect(finding).not.toHaveProperty('fix');
});

describe('the text', () => {
  test('has at most 80 columns, but for commands, and counts what was found', () => {
    const situation = {
      ...withStore({ workersCa: ABSENT }),
      operator: found(operator([])),
      webhooks: found([]),
    };
    const lines = printDiagnosis(diagnose(situation)).split('\n');
    expect(lines.filter((line) => line.length > 80 && !line.includes('→'))).toEqual([]);
    expect(lines.at(-2)).toBe('1 problem, 1 warning');
    expect(lines[0]).toBe('namespace billing');
    expect(printDiagnosis(diagnose(healthy()))).toContain('\nno problem was found\n');
  });

  test('has no control character of a message', () => {
    const text = printDiagnosis(diagnose(withPods(waiting('ImagePullBackOff', 'a\u001b[31mb\nc\u009b'))));
    expect(text).toContain('a [31mb c');
    expect(text).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

test('the findings of a store name it, and those of the cluster none', () => {
  const { findings, stores } = diagnose(healthy());
  expect(stores).toEqual(['documents.orders']);
  for (const { check, store } of findings)
    expect(store).toBe(['namespace', 'operator', 'webhook'].includes(check) ? undefined : 'documents.orders');
});

test('a policy with a name of its own is not taken for that of the store', () => {
  const foreign = { ...binding(['billing']), spec: { policyName: `x${POLICY.metadata.name}` } };
  const { findings } = diagnose(withPolicy({ bindings: found([foreign]) }));
  expect(findings).toContainEqual(expect.objectContaining({ check: 'policy', level: 'problem' }));
});

test('the worker of docs/injection.md that does without a sidecar keeps its URL, and its token is the right one', () => {
  const [manifest = ''] = blocksOf('docs/injection.md', 'yaml');
  const { template } = parse(manifest).spec;
  const starter = pod('worker', template.spec, template.metadata.labels);
  const findings = diagnose(withPods(injected('worker-1'), starter)).findings;
  expect(findings.filter(({ check }) => check === 'token')).toEqual([
    expect.objectContaining({ level: 'ok' }),
  ]);
  const labelled = { labels: starter.metadata.labels, namespace: 'billing' };
  expect(selectStore({}, labelled)).toEqual({ kind: 'optedOut' });
  const result = injectSidecar(starter, { name: 'documents', namespace: 'orders' }, SETTINGS);
  if (result.kind === 'skipped') throw new Error(result.message);
  const values = result.patch.map(({ value }) => JSON.stringify(value)).join('\n');
  expect(values).toContain('LARGE_PAYLOAD_THRESHOLD_BYTES');
  expect(values).not.toContain('"LARGE_PAYLOAD_SERVICE_URL"');
});

test('docs/command-line.md names the checks in their order', () => {
  const [, sentence = ''] =
    /^The checks, in the order of the way: (.*?)\. /ms.exec(textOf('docs/command-line.md')) ?? [];
  const named = [...sentence.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  expect(named).toEqual(CHECK_NAMES);
});

test('a pod keeps the store of its sidecar when the label of the namespace has gone, unless its annotation is not ours', () => {
  const stranger = {
    ...pod('worker-2'),
    metadata: { ...pod('worker-2').metadata, annotations: { [INJECTED]: '{' } },
  };
  const situation = {
    ...withPods(injected('worker-1'), stranger),
    namespaceObject: found(namespace('billing')),
  };
  expect(diagnose(situation).findings).toContainEqual(
    expect.objectContaining({
      check: 'pods',
      message: '1 pod with a sidecar and a token for documents.orders',
    }),
  );
});
