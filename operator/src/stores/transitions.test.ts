import { expect, test } from 'vitest';
import { transitions } from './transitions.ts';

type Said = readonly [type: string, status: 'True' | 'False' | 'Unknown', reason: string, message?: string];

const statusOf = (...said: Said[]) => ({
  conditions: said.map(([type, status, reason, message = `${reason}.`]) => ({
    ...{ type, status, reason, message },
    lastTransitionTime: '2026-06-01T12:00:00Z',
  })),
});

test.each<[string, Said[], Said[], string[]]>([
  ['a store that begins', [], [['Ready', 'False', 'Creating']], []],
  ['a store that is starting', [['Ready', 'False', 'Creating']], [['Ready', 'False', 'Starting']], []],
  ['a store that keeps payloads for ever', [], [['ReaperHealthy', 'True', 'NotNeeded']], []],
  [
    'a store whose TTL is given up',
    [['ReaperHealthy', 'True', 'Reaping']],
    [['ReaperHealthy', 'True', 'NotNeeded']],
    ['Normal NotNeeded'],
  ],
  [
    'a store that becomes ready',
    [['Ready', 'False', 'Starting']],
    [['Ready', 'True', 'Ready']],
    ['Normal Ready'],
  ],
  [
    'a store that is rolled out',
    [['Ready', 'True', 'Ready']],
    [['Ready', 'False', 'RollingOut']],
    ['Normal RollingOut'],
  ],
  [
    'a store that fails',
    [['Ready', 'True', 'Ready']],
    [['Ready', 'False', 'BucketMissing']],
    ['Warning BucketMissing'],
  ],
  [
    'a store that fails in another way',
    [['Ready', 'False', 'BucketMissing']],
    [['Ready', 'False', 'StorageDenied']],
    ['Warning StorageDenied'],
  ],
  [
    'the same failure with another message',
    [['Ready', 'False', 'Crashing', 'a']],
    [['Ready', 'False', 'Crashing', 'b']],
    [],
  ],
  [
    'a store with fewer pods',
    [['Ready', 'True', 'Ready']],
    [['Ready', 'True', 'FewerPods']],
    ['Warning FewerPods'],
  ],
  [
    'a store whose certificates are not published everywhere',
    [['Ready', 'True', 'Ready']],
    [['Ready', 'True', 'CertificatesNotPublished']],
    ['Warning CertificatesNotPublished'],
  ],
  [
    'a store whose certificate cannot be renewed',
    [['Ready', 'True', 'Ready']],
    [['Ready', 'True', 'CertificateNotMade']],
    ['Warning CertificateNotMade'],
  ],
  [
    'a reaper that cannot be polled',
    [['ReaperHealthy', 'True', 'Reaping']],
    [['ReaperHealthy', 'Unknown', 'PodUnreachable']],
    ['Warning PodUnreachable'],
  ],
  ['a store that no pod uses yet', [], [['InjectionCurrent', 'True', 'NoPods']], []],
  ['a store without injection', [], [['InjectionCurrent', 'Unknown', 'InjectionOff']], []],
  [
    'a store whose pods come and go, as those of a CronJob do',
    [['InjectionCurrent', 'True', 'NoPods']],
    [['InjectionCurrent', 'True', 'AllInjected']],
    [],
  ],
  [
    'a store with a pod that was missed',
    [['InjectionCurrent', 'True', 'AllInjected']],
    [['InjectionCurrent', 'False', 'PodsMissed']],
    ['Warning PodsMissed'],
  ],
  [
    'a store whose missed pods were healed',
    [['InjectionCurrent', 'False', 'PodsMissed']],
    [['InjectionCurrent', 'True', 'AllInjected']],
    ['Normal AllInjected'],
  ],
  [
    'a store whose sidecars are of an earlier version',
    [['InjectionCurrent', 'True', 'AllInjected']],
    [['InjectionCurrent', 'False', 'PodsOutdated']],
    ['Normal PodsOutdated'],
  ],
  [
    'one failure of several conditions',
    [],
    [
      ['Ready', 'False', 'BucketMissing'],
      ['GatewayAvailable', 'False', 'BucketMissing'],
      ['ReaperHealthy', 'True', 'Reaping'],
    ],
    ['Warning BucketMissing', 'Normal Reaping'],
  ],
])('%s has the expected Events', (_what, before, after, expected) => {
  const events = transitions(statusOf(...before), statusOf(...after)).map(
    ({ type, reason }) => `${type} ${reason}`,
  );
  expect(events).toEqual(expected);
});

test('several conditions with one reason give one Event, with the message of the first', () => {
  const after = statusOf(
    ['Ready', 'False', 'Crashing', 'all words'],
    ['GatewayAvailable', 'False', 'Crashing', 'words'],
  );
  expect(transitions({}, after)).toMatchObject([{ note: 'all words' }]);
});

test('the note of an Event is no longer than the API server allows', () => {
  const after = statusOf(['Ready', 'False', 'Refused', 'x'.repeat(5_000)]);
  expect(transitions({}, after)[0]?.note).toHaveLength(1_024);
});
