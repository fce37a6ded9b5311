import type { LargePayloadStoreStatus } from '@largepayload/crds';
import { expect, test } from 'vitest';
import { wellStore } from '../stores/situation.fixture.ts';
import { decideStatus } from '../stores/status.ts';
import { Metrics } from './metrics.ts';

test('stores are counted by whether they are ready, and by the authentication in force', async () => {
  const metrics = new Metrics();
  const ready = decideStatus(wellStore());
  const statuses: LargePayloadStoreStatus[] = [ready, { ...ready, authentication: 'None' }, {}];
  metrics.watchStores(() => statuses);
  const text = await metrics.registry.metrics();
  for (const line of [
    'large_payload_operator_stores{ready="true"} 2',
    'large_payload_operator_stores{ready="false"} 1',
    'large_payload_operator_stores_by_authentication{authentication="Token"} 1',
    'large_payload_operator_stores_by_authentication{authentication="Migrate"} 0',
    'large_payload_operator_stores_by_authentication{authentication="None"} 1',
  ])
    expect(text).toContain(`${line}\n`);
});
