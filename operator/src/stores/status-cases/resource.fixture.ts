import { SERVICE_ACCOUNTS } from '../../kubernetes/resources.ts';
import { appliedObjects, but } from '../situation.fixture.ts';
import { desiredFor, ON_S3 } from '../stores.fixture.ts';
import { type Case, failing, GOOGLE, inTheWay, nothingYet, spec, WELL } from './case.fixture.ts';

export const RESOURCE_CASES: readonly Case[] = [
  {
    when: 'the store is being deleted',
    situation: spec(ON_S3, { deletionTimestamp: '2026-06-01T11:59:00Z' }),
    expected: { ...WELL, Ready: 'False Deleting', ReaperHealthy: 'Unknown Deleting' },
  },
  {
    when: 'an edit is not valid',
    situation: spec({ ...ON_S3, thresholdSize: 'big' }),
    expected: { ...WELL, Ready: 'False InvalidSpec', ReaperHealthy: 'Unknown InvalidSpec' },
  },
  {
    when: 'the storage is not supported',
    situation: nothingYet(GOOGLE),
    expected: {
      Ready: 'False StorageNotSupported',
      GatewayAvailable: 'False StorageNotSupported',
      ReaperHealthy: 'Unknown StorageNotSupported',
      RetentionSafe: 'Unknown NoReport',
    },
  },
  {
    when: 'a store that is well is edited to ask Temporal',
    situation: spec({
      ...ON_S3,
      retention: { ttl: '30d', temporal: { address: 'temporal:7233' } },
      temporalNamespaces: ['orders'],
    }),
    expected: {
      ...WELL,
      Ready: 'False RetentionNotSupported',
      ReaperHealthy: 'Unknown RetentionNotSupported',
      RetentionSafe: 'Unknown RetentionNotSupported',
    },
  },
  {
    when: "somebody else's Service has the name",
    situation: inTheWay('orders-gateway'),
    expected: failing('NameTaken'),
  },
  {
    when: 'the account was made ahead, with a role of the cloud',
    situation: inTheWay('orders-reaper', SERVICE_ACCOUNTS),
    expected: failing('NameTaken'),
  },
  {
    when: 'what an earlier store of the name had is not removed yet',
    situation: but(nothingYet(), { objects: appliedObjects(desiredFor(), 'uid of an earlier store') }),
    expected: failing('Creating'),
  },
];
