import { SIDECAR_CONTAINER } from '@largepayload/operator/injection/names';
import { MetricsReading } from '@largepayload/testing/servers/metrics-reading';
import { expect, test } from 'vitest';
import { slowly } from '../faults/slowly.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { CodecTraffic, RETRIED_FOR } from '../fixtures/traffic.fixture.ts';
import {
  beginRotation,
  completeRotation,
  pretendToWait,
  publishedBy,
  untilPublishedAlone,
  untilRead,
  untilVerdicts,
} from './authority.fixture.ts';
import { servingSidecar } from './sidecar-pod.fixture.ts';

const worker = { pod: 'worker', container: SIDECAR_CONTAINER, file: '/var/run/largepayload.dev/ca.crt' };
const gateway = { authentication: undefined, credentialsSecretRef: { name: CREDENTIALS }, replicas: 2 };

test('a worker stores on through its sidecar while the certificate authority is rotated by hand', {
  timeout: 1_800_000,
}, async () => {
  await completeRotation();
  await using bed = await StoreBed.make('rotation');
  await bed.applyStore('orders', { gateway });
  await bed.until('orders', 'GatewayAvailable', { message: /^2 of 2/ });
  const sidecar = await servingSidecar({ name: 'worker', bed, store: 'orders' });
  const codec = new CodecTraffic(sidecar, RETRIED_FOR);
  await using traffic = codec.traffic;
  const [before = '', ...more] = await publishedBy(bed, 'orders');
  expect(more).toEqual([]);
  await untilVerdicts(bed, before, bothVerified);

  const began = performance.now();
  const [, after] = await beginRotation(bed, 'orders');
  const both = await publishedBy(bed, 'orders');
  expect(both.length).toBe(2);
  await untilRead(bed, worker, 2);
  await untilVerdicts(bed, before, bothVerified);

  await pretendToWait();
  await untilVerdicts(bed, after, bothVerified);
  // Gateways of other tests are used, too.
  await untilVerdicts(bed.cluster, before, (all) => !all.includes('verified'));
  expect(await publishedBy(bed, 'orders')).toEqual(both);

  await pretendToWait();
  await untilPublishedAlone(bed, 'orders', after);
  await untilRead(bed, worker, 1);
  await untilVerdicts(bed, before, (own) => own.every((each) => each.includes('UNABLE_TO_VERIFY')));
  const answers = await MetricsReading.of(sidecar.replace('http://', '').replace(':8577', ':8578'), 30_000);
  // Every connection of the sidecar is a new one then.
  await bed.kubectl('rollout', 'restart', 'deployment/orders-gateway');
  await bed.kubectl('rollout', 'status', 'deployment/orders-gateway', '--timeout=240s');
  const done = traffic.done;
  await slowly(async () => (traffic.done > done + 10 ? true : undefined));
  await traffic.stop();

  expect(answers.sum('payload_store_put_total', /"created"/)).toBeGreaterThan(0);
  // These would be retried, too, and the worker would see none of them.
  expect(answers.sum('payload_store_put_total', /"(gateway_untrusted|ca_\w+|token_\w+|tls_\w+)"/)).toBe(0);
  expect(traffic.failures).toEqual([]);
  expect(await codec.fetchAll()).toBe(traffic.done);
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  show(
    'authority rotated by hand under load',
    `both published, then the new one signs, then the old one goes: ${seconds} s (half an hour without the help of the test); ` +
      `${traffic.done} payloads stored through a sidecar meanwhile, none failed`,
  );
});

const bothVerified = (own: readonly string[]) => own.join() === 'verified,verified';
