import type { ReadFailure } from '@largepayload/crds';
import {
  errorReport,
  HOUR,
  MINUTE,
  NOW,
  REAPED,
  statusReport,
  withPods,
  withReports,
} from '../situation.fixture.ts';
import { type Case, onVolume, remembering, unavailable, WELL, well } from './case.fixture.ts';

const NO_RIGHT: ReadFailure = {
  code: 'storage_denied',
  message:
    'cannot delete 12 payloads: access denied for s3:DeleteObject on the bucket payloads (AccessDenied); allow it in the policy of these credentials',
  reason: { name: 'AccessDenied' },
};
const CLOCK_WAIT = { until: NOW + 25 * MINUTE };

export const REAPER_CASES: readonly Case[] = [
  {
    when: 'the reaper waits for the gateway',
    situation: withReports(
      withPods(well, 'reaper', { ready: false }),
      'reaper',
      errorReport({
        ...unavailable('the storage has no store.json yet; a gateway of the store writes it'),
        reason: { name: 'WaitsForGateway', record: 'store.json' },
      }),
    ),
    expected: {
      ...WELL,
      Ready: 'False Starting',
      ReaperHealthy: 'False Starting',
      RetentionSafe: 'Unknown NoReport',
    },
  },
  {
    when: 'the reaper may not delete, as its trial at the start says',
    situation: withReports(
      withPods(well, 'reaper', { ready: false }),
      'reaper',
      errorReport({
        code: 'storage_denied',
        message:
          'cannot delete write-check: access denied for s3:DeleteObject on the bucket payloads (AccessDenied); allow it in the policy of these credentials',
        reason: { name: 'AccessDenied' },
      }),
    ),
    expected: {
      ...WELL,
      Ready: 'False StorageDenied',
      ReaperHealthy: 'False StorageDenied',
      RetentionSafe: 'Unknown NoReport',
    },
  },
  {
    when: 'the reaper may not delete',
    situation: withReports(
      well,
      'reaper',
      statusReport({
        reaper: {
          ...REAPED,
          lastError: NO_RIGHT.message,
          lastFailure: NO_RIGHT,
        },
      }),
    ),
    expected: { ...WELL, ReaperHealthy: 'False PassFailed' },
  },
  {
    when: 'the reaper is late',
    situation: withReports(
      withPods(well, 'reaper', { createdAt: NOW - 24 * HOUR }),
      'reaper',
      statusReport({ reaper: { lastCompleted: NOW - 2 * HOUR - 6 * MINUTE, lastError: undefined } }),
    ),
    expected: { ...WELL, ReaperHealthy: 'False PassLate' },
  },
  {
    when: 'a pass takes longer than usual',
    situation: withReports(
      withPods(well, 'reaper', { createdAt: NOW - 24 * HOUR }),
      'reaper',
      statusReport({ reaper: { lastCompleted: NOW - 2 * HOUR - 4 * MINUTE, lastError: undefined } }),
    ),
    expected: WELL,
  },
  {
    when: 'the reaper of a volume is late',
    situation: withReports(
      withPods(onVolume, 'gateway', { createdAt: NOW - 24 * HOUR }),
      'gateway',
      statusReport({ reaper: { lastCompleted: NOW - 2 * HOUR - 6 * MINUTE, lastError: undefined } }),
    ),
    expected: { ...WELL, ReaperHealthy: 'False PassLate' },
  },
  {
    when: 'the reaper waits until the clock is confirmed, and has for hours',
    situation: withReports(
      withPods(well, 'reaper', { createdAt: NOW - 24 * HOUR }),
      'reaper',
      statusReport({ reaper: { lastCompleted: undefined, lastError: undefined, waiting: CLOCK_WAIT } }),
    ),
    expected: {
      ...WELL,
      ReaperHealthy: 'True ClockUnconfirmed',
      RetentionSafe: 'False ClockUnconfirmed',
    },
  },
  {
    when: 'the gateway of a volume waits until the clock is confirmed',
    situation: withReports(onVolume, 'gateway', statusReport({ reaper: { ...REAPED, waiting: CLOCK_WAIT } })),
    expected: {
      ...WELL,
      ReaperHealthy: 'True ClockUnconfirmed',
      RetentionSafe: 'False ClockUnconfirmed',
    },
  },
  {
    when: 'no pass has ended yet',
    situation: withReports(
      well,
      'reaper',
      statusReport({ reaper: { lastCompleted: undefined, lastError: undefined } }),
    ),
    expected: { ...WELL, ReaperHealthy: 'Unknown FirstPass' },
  },
  {
    when: 'a reaper was restarted, and knows of no pass',
    situation: remembering(
      withReports(
        well,
        'reaper',
        statusReport({ reaper: { lastCompleted: undefined, lastError: undefined } }),
      ),
      { retention: { lastCompletedTime: '2026-06-01T11:15:00Z' } },
    ),
    expected: WELL,
  },
  {
    when: 'the operator cannot reach the reaper, and never could',
    situation: withReports(well, 'reaper', { unreachable: 'connect ETIMEDOUT 10.0.0.1:8578' }),
    expected: { ...WELL, ReaperHealthy: 'Unknown PodUnreachable', RetentionSafe: 'Unknown NoReport' },
  },
  {
    when: 'a reaper that has just begun missed a question',
    situation: withReports(withPods(well, 'reaper', { runningSince: NOW - 10_000 }), 'reaper', {
      unreachable: 'it did not answer within 2 s',
    }),
    expected: { ...WELL, ReaperHealthy: 'Unknown NoReport', RetentionSafe: 'Unknown NoReport' },
  },
  {
    when: 'the operator cannot reach the reaper for a moment',
    situation: remembering(withReports(well, 'reaper', { unreachable: 'connect ETIMEDOUT 10.0.0.1:8578' }), {
      retention: { lastCompletedTime: '2026-06-01T11:30:00Z' },
      conditions: [
        {
          type: 'RetentionSafe',
          status: 'True',
          reason: 'StorageAgrees',
          message: '',
          lastTransitionTime: '2026-05-01T00:00:00Z',
        },
      ],
    }),
    expected: WELL,
  },
];
