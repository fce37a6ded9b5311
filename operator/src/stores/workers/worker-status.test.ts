import { expect, test } from 'vitest';
import { sameStatus } from '../same-status.ts';
import { store } from '../stores.fixture.ts';
import type { NamedWorker, ObservedWorkers, WorkerSituation } from './observed-workers.ts';
import { decideWorkerStatus } from './worker-status.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const NOBODY: ObservedWorkers = {
  ...{ injected: 0, missed: 0, outdated: 0 },
  ...{ missedPods: [], outdatedPods: [], notHealed: [] },
};
const worker = (name: string, why: string, owner: string): NamedWorker => ({
  ...{ namespace: 'billing', name, why, heal: `kubectl -n billing rollout restart ${owner}` },
});
const MISSED = worker('worker-7d9-x2x7q', 'it has no sidecar', 'deployment/worker');
const OTHER = worker('mailer-0', 'its sidecar is of store mails.billing', 'statefulset/mailer');
const OLD = worker('worker-7d9-8jw2k', 'its sidecar is of version 0.1.0', 'deployment/worker');
const BEFORE = {
  pods: { injected: 2, missed: 1, outdated: 0 },
  conditions: [
    {
      ...{
        type: 'InjectionCurrent',
        status: 'False',
        reason: 'PodsMissed',
        message: '1 pod without a sidecar',
      },
      lastTransitionTime: '2026-05-01T00:00:00Z',
    },
  ],
};
const situation = (
  workers: Partial<ObservedWorkers> | 'off',
  { problem, status }: { problem?: string; status?: unknown } = {},
): WorkerSituation => ({
  store: store(undefined, {}, status),
  workers: typeof workers === 'string' ? workers : { ...NOBODY, ...workers },
  problem,
  now: NOW,
});

const CASES: readonly (readonly [when: string, WorkerSituation, expected: string])[] = [
  [
    'injection is off',
    situation('off'),
    'Unknown InjectionOff: the operator was installed without injection (injection.enabled: false), so worker pods are not watched',
  ],
  [
    'no pod asks for a sidecar',
    situation({}),
    'True NoPods: no pod should have a sidecar of the store; to begin: kubectl label namespace payments largepayload.dev/inject=orders',
  ],
  [
    'every pod has its sidecar',
    situation({ injected: 3 }),
    'True AllInjected: 3 pods with a sidecar that is up to date',
  ],
  [
    'a pod was made before the label',
    situation({ injected: 3, missed: 1, missedPods: [MISSED] }),
    'False PodsMissed: 1 pod without a sidecar of the store: billing/worker-7d9-x2x7q (it has no sidecar; kubectl -n billing rollout restart deployment/worker)',
  ],
  [
    'more pods are missed than are named, and others are outdated',
    situation({ missed: 12, outdated: 4, missedPods: [MISSED, OTHER], outdatedPods: [OLD] }),
    'False PodsMissed: 12 pods without a sidecar of the store: billing/worker-7d9-x2x7q (it has no sidecar; kubectl -n billing rollout restart deployment/worker), billing/mailer-0 (its sidecar is of store mails.billing; kubectl -n billing rollout restart statefulset/mailer), and 10 more',
  ],
  [
    'a pod has the sidecar of an earlier operator',
    situation({ injected: 3, outdated: 1, outdatedPods: [OLD] }),
    'False PodsOutdated: 1 pod with a sidecar that works, and is not the one that would be injected now: billing/worker-7d9-8jw2k (its sidecar is of version 0.1.0; kubectl -n billing rollout restart deployment/worker)',
  ],
  [
    'the pod in the place of an evicted one was missed again',
    situation({ missed: 2, missedPods: [MISSED], notHealed: [MISSED] }),
    'False EvictionDidNotHelp: 2 pods without a sidecar of the store; pods were evicted, and those in their place were missed again, so their owners are left alone until the pod template or the label changes: billing/worker-7d9-x2x7q (it has no sidecar; kubectl -n billing rollout restart deployment/worker)',
  ],
  [
    'the API server refuses the admission policy of the store',
    situation({ injected: 3 }, { problem: 'mutatingadmissionpolicies is forbidden: the quota is used up.' }),
    'False InjectionNotReady: new pods get no sidecar: mutatingadmissionpolicies is forbidden: the quota is used up',
  ],
];

test.each(CASES)('InjectionCurrent is as expected when %s', (_when, given, expected) => {
  const [{ type, status, reason, message } = {}] = decideWorkerStatus(given).conditions ?? [];
  expect(type).toBe('InjectionCurrent');
  expect(`${status} ${reason}: ${message}`).toBe(expected);
});

test.each(CASES)('nothing is written again when nothing changes: %s', (_when, given) => {
  const first = decideWorkerStatus(given);
  const later = { ...given, store: { ...given.store, status: first }, now: NOW + 1_000 };
  expect(sameStatus(first, decideWorkerStatus(later))).toBe(true);
});

test('pods are counted by whether they are injected, missed or outdated', () => {
  const counts = { injected: 5, missed: 2, outdated: 1 };
  expect(decideWorkerStatus(situation({ ...counts, missedPods: [MISSED] })).pods).toEqual(counts);
});

test('counts go when injection is off', () => {
  expect(decideWorkerStatus(situation('off', { status: BEFORE }))).not.toHaveProperty('pods');
});

test('the condition keeps the time of its last transition while its status stays', () => {
  const since = (given: WorkerSituation) => decideWorkerStatus(given).conditions?.[0]?.lastTransitionTime;
  expect(since(situation({ missed: 1 }, { status: BEFORE }))).toBe('2026-05-01T00:00:00Z');
  expect(since(situation({ injected: 1 }, { status: BEFORE }))).toBe('2026-06-01T12:00:00Z');
});
