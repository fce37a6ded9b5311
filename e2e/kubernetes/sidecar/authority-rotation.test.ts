import { SIDECAR_CONTAINER } from '@largepayload/operator/injection/names';
import { MetricsReading } from '@largepayload/testing/servers/metrics-reading';
import { expect, test } from 'vitest';
import { slowly } from '../faults/slowly.fixture.ts';
import { operatorKubectl } from '../fixtures/operator.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { CodecTraffic, RETRIED_FOR } from '../fixtures/traffic.fixture.ts';
import { type Place, verdicts } from './served-certificates.fixture.ts';
import { servingSidecar } from './sidecar-pod.fixture.ts';

const gateway = { authentication: undefined, credentialsSecretRef: { name: CREDENTIALS }, replicas: 2 };
const AUTHORITY = 'secret/largepayload-ca';
/**
 * ms: the operator looks at its authority once a minute, and the kubelet brings a changed ConfigMap or Secret into a pod when it next
 * looks at the pod, which it does every 60 to 90 s. On a busy machine each takes a few times as long.
 */
const STEP_LIMIT = 420_000;

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
  const [before = '', ...more] = await publishedBy(bed);
  expect(more).toEqual([]);
  await untilVerdicts(bed, before, bothVerified);

  const [began, beganAt] = [performance.now(), Date.now()];
  await operatorKubectl('annotate', AUTHORITY, '--overwrite', `largepayload.dev/rotate=e2e-${beganAt}`);
  const both = await slowly(async () => {
    const authorities = await publishedBy(bed);
    return authorities.length === 2 ? authorities : undefined;
  }, STEP_LIMIT);
  const [after = ''] = both.filter((authority) => authority !== before);
  await untilRead(bed, 2);
  await untilVerdicts(bed, before, bothVerified);

  await pretendToWait();
  await untilVerdicts(bed, after, bothVerified);
  // Gateways of other tests are used, too.
  await untilVerdicts(bed.cluster, before, (all) => !all.includes('verified'));
  expect(await publishedBy(bed)).toEqual(both);

  await pretendToWait();
  await slowly(async () => ((await publishedBy(bed)).join() === after ? true : undefined), STEP_LIMIT);
  await untilRead(bed, 1);
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

/** Completes a rotation that a run which was ended has left. */
async function completeRotation(): Promise<void> {
  const keys = '--output=go-template={{range $key, $value := .data}}{{$key}} {{end}}';
  await slowly(async () => {
    const authorities = await operatorKubectl('get', AUTHORITY, '--ignore-not-found', keys);
    if (!/next|previous/.test(authorities)) return true;
    await pretendToWait();
    return undefined;
  }, STEP_LIMIT);
}

/** The certificates in the store's ConfigMap. */
async function publishedBy(bed: StoreBed): Promise<string[]> {
  const path = '--output=jsonpath={.data.ca\\.crt}';
  return certificatesIn(await bed.kubectl('get', 'configmap', 'orders-ca', path));
}

function certificatesIn(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** Waits until the file of the sidecar has so many certificates. */
async function untilRead(bed: StoreBed, count: number): Promise<void> {
  const script = 'process.stdout.write(fs.readFileSync("/var/run/largepayload.dev/ca.crt"))';
  const command = ['/nodejs/bin/node', '-e', script];
  await slowly(async () => {
    const pem = await bed.kubectl('exec', 'worker', `--container=${SIDECAR_CONTAINER}`, '--', ...command);
    return certificatesIn(pem).length === count ? true : undefined;
  }, STEP_LIMIT);
}

/** Makes the step of a rotation seem old enough for the next one, as docs/certificates.md describes. */
async function pretendToWait(): Promise<void> {
  const since = new Date(Date.now() - 2 * 3_600_000).toISOString();
  await operatorKubectl('annotate', AUTHORITY, '--overwrite', `largepayload.dev/since=${since}`);
}

/** @throws Error with the verdicts when they stay other than wanted */
async function untilVerdicts(
  place: Place,
  authority: string,
  isWanted: (verdicts: readonly string[]) => boolean,
): Promise<void> {
  let seen: readonly string[] = [];
  await slowly(async () => {
    seen = await verdicts(place, authority);
    return isWanted(seen) || undefined;
  }, STEP_LIMIT).catch((error) => Promise.reject(new Error(`gateways: ${seen}`, { cause: error })));
}
