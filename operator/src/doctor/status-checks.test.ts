import { found } from './reading.ts';
import { checkRows, type Row } from './rows.fixture.ts';
import {
  CONDITIONS,
  condition,
  DENIED,
  documents,
  healthy,
  withPolicy,
  withStore,
} from './situation.fixture.ts';

const withCondition = (type: string, status: string, reason: string, message = 'the storage said so') => {
  const conditions = CONDITIONS.map((each) =>
    each.type === type ? condition(type, status, reason, message) : each,
  );
  return withStore({ resource: found(documents({}, { conditions })) });
};

const STATUS: readonly Row[] = [
  [
    'a store without a status',
    withStore({ resource: found(documents({}, { conditions: [] })) }),
    ...(['status', 'problem', 'no status'] as const),
  ],
  [
    'a status of before the last edit',
    withStore({ resource: found(documents({}, { observedGeneration: 2 })) }),
    ...(['status', 'warning', 'older than the last edit'] as const),
  ],
  [
    'pods that were evicted, and missed again',
    withCondition('InjectionCurrent', 'False', 'EvictionDidNotHelp'),
    ...(['injection', 'problem', 'EvictionDidNotHelp'] as const),
  ],
  [
    'no gateway',
    withCondition('GatewayAvailable', 'False', 'Unschedulable'),
    ...(['gateway', 'problem', 'Unschedulable: the storage said so', 'describe'] as const),
  ],
  ['a gateway that starts', withCondition('Ready', 'False', 'Starting'), 'storage', 'warning', 'Starting: '],
  [
    'a storage that refuses',
    withCondition('Ready', 'False', 'StorageDenied'),
    'storage',
    'problem',
    'StorageDenied',
  ],
  [
    'a storage of which nothing is known',
    withCondition('Ready', 'Unknown', 'PodUnreachable'),
    'storage',
    'unknown',
    '',
  ],
  [
    'a storage of another store',
    withCondition('Ready', 'False', 'StorageOwnedByAnotherStore'),
    ...(['identity', 'problem', 'StorageOwnedByAnotherStore'] as const),
  ],
  [
    'a storage that was taken over',
    withCondition('RetentionSafe', 'True', 'StorageTakenOver'),
    ...(['identity', 'warning', 'StorageTakenOver'] as const),
  ],
  [
    'a clock that differs',
    withCondition('RetentionSafe', 'False', 'ClockDifference'),
    ...(['clock', 'problem', 'ClockDifference'] as const),
  ],
  [
    'a pass that failed',
    withCondition('ReaperHealthy', 'False', 'PassFailed'),
    'reaper',
    'problem',
    'PassFailed',
  ],
  [
    'Temporal, which this version does not ask',
    withStore({
      resource: found(
        documents(
          {
            retention: { ttl: '30d', temporal: { address: 'temporal:7233' } },
            temporalNamespaces: ['default'],
          },
          { conditions: [condition('Ready', 'False', 'RetentionNotSupported', 'not yet')] },
        ),
      ),
    }),
    ...(['temporal', 'problem', 'RetentionNotSupported'] as const),
  ],
];

const UNREAD: readonly Row[] = [
  ['the namespace', healthy({ namespaceObject: DENIED }), 'namespace', 'unknown', 'no right to'],
  ['pods', healthy({ pods: DENIED }), 'pods', 'unknown', 'no right to'],
  ['the operator', healthy({ operator: DENIED }), 'operator', 'unknown', 'no right to'],
  ['webhooks', healthy({ webhooks: DENIED }), 'webhook', 'unknown', 'no right to'],
  ['endpoints of the webhook', healthy({ webhookEndpoints: DENIED }), 'webhook', 'unknown', 'no right to'],
  ['policies', withPolicy({ policy: DENIED }), 'policy', 'unknown', 'no right to'],
  ['bindings', withPolicy({ bindings: DENIED }), 'policy', 'unknown', 'no right to'],
  ['the store', withStore({ resource: DENIED }), 'store', 'unknown', 'no right to'],
  ['the ConfigMap', withStore({ workersCa: DENIED }), 'certificates', 'unknown', 'no right to'],
];

checkRows('the status of a store', STATUS);
checkRows('without the right to read', UNREAD);
