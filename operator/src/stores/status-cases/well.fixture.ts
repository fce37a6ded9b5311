import type { ObservedDeployment } from '../observed.ts';
import { but, edited, errorReport, PENDING, podOf, wellStore, withPods } from '../situation.fixture.ts';
import { desiredFor, ON_S3 } from '../stores.fixture.ts';
import {
  type Case,
  FOREVER,
  failing,
  nothingYet,
  notReadyAtAll,
  onVolume,
  unavailable,
  WELL,
  well,
} from './case.fixture.ts';

export const WELL_CASES: readonly Case[] = [
  {
    when: 'an edit was made this moment',
    situation: { ...well, desired: desiredFor({ ...ON_S3, maxPayloadSize: '2Gi' }) },
    expected: { ...WELL, Ready: 'False RollingOut' },
  },
  {
    when: 'a rollout is under way, and its first pod ended once before it was ready',
    situation: edited({ restarts: 1, ended: { reason: 'Error', message: '', exitCode: 1 } }),
    expected: { ...WELL, Ready: 'False RollingOut' },
  },
  { when: 'all is well, on S3', situation: well, expected: WELL },
  { when: 'all is well, on a volume', situation: onVolume, expected: WELL },
  {
    when: 'payloads are kept for ever',
    situation: wellStore(FOREVER),
    expected: { ...WELL, ReaperHealthy: 'True NotNeeded', RetentionSafe: 'True NotNeeded' },
  },
  {
    when: 'the store was just made',
    situation: nothingYet(),
    expected: failing('Creating'),
  },
  {
    when: 'the pods are starting',
    situation: notReadyAtAll(
      errorReport({
        ...unavailable('the storage was not reached yet; this process has just begun'),
        reason: { name: 'JustStarted' },
      }),
    ),
    expected: failing('Starting'),
  },
  {
    when: 'the first of two gateway pods is ready',
    situation: but(well, {
      gateway: {
        ...(well.observed.gateway as ObservedDeployment),
        available: 1,
        ready: 1,
      },
      pods: well.observed.pods.map((pod) => (pod.name === 'orders-gateway-2' ? { ...pod, ...PENDING } : pod)),
    }),
    expected: WELL,
  },
  {
    when: 'a rollout is under way',
    situation: edited({}),
    expected: { ...WELL, Ready: 'False RollingOut' },
  },
  {
    when: 'gateway pods are being added',
    situation: withPods(
      wellStore({ ...ON_S3, gateway: { ...ON_S3.gateway, replicas: 3 } }),
      'gateway',
      {},
      {
        wanted: 5,
        replicas: 3,
        updated: 3,
        observedGeneration: 0,
      },
    ),
    expected: WELL,
  },
  {
    when: 'an evicted pod lingers',
    situation: but(well, {
      pods: [
        ...well.observed.pods,
        podOf(undefined, 'gateway', { name: 'orders-gateway-evicted', phase: 'Failed', ready: false }),
      ],
    }),
    expected: WELL,
  },
];
