import { once } from 'node:events';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { slowly } from '../faults/slowly.fixture.ts';
import { operatorKubectl } from '../fixtures/operator.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { CodecTraffic } from '../fixtures/traffic.fixture.ts';
import { servingSidecar } from './sidecar-pod.fixture.ts';

const gateway = { authentication: undefined, credentialsSecretRef: { name: CREDENTIALS }, replicas: 2 };
const AUTHORITY = 'secret/largepayload-ca';
/** ms in which the operator looks at its authority, and the kubelet brings a changed ConfigMap or Secret into the pods */
const STEP_LIMIT = 300_000;
const CONNECT_LIMIT = 30_000;

test('a worker stores on through its sidecar while the certificate authority is rotated by hand', {
  timeout: 1_500_000,
}, async () => {
  await using bed = await StoreBed.make('rotation');
  await bed.applyStore('orders', { gateway });
  await bed.until('orders', 'GatewayAvailable', { message: /^2 of 2/ });
  const codec = new CodecTraffic(await servingSidecar({ name: 'worker', bed, store: 'orders' }));
  await using traffic = codec.traffic;
  const [before = '', ...more] = await publishedBy(bed);
  expect(more).toEqual([]);
  expect(await verdicts(bed, before)).toEqual(['verified', 'verified']);

  const [began, beganAt] = [performance.now(), Date.now()];
  await operatorKubectl('annotate', AUTHORITY, '--overwrite', `largepayload.dev/rotate=e2e-${beganAt}`);
  const both = await slowly(async () => {
    const authorities = await publishedBy(bed);
    return authorities.length === 2 ? authorities : undefined;
  }, STEP_LIMIT);
  const [after = ''] = both.filter((authority) => authority !== before);
  await untilRead(bed, 2);

  await pretendToWait();
  let seen: readonly string[] = [];
  await slowly(async () => {
    seen = await verdicts(bed, after);
    return seen.every((each) => each === 'verified') || undefined;
  }, STEP_LIMIT).catch((error) => Promise.reject(new Error(`gateways: ${seen}`, { cause: error })));
  await dropThePrevious();
  await slowly(async () => ((await publishedBy(bed)).join() === after ? true : undefined), STEP_LIMIT);
  await untilRead(bed, 1);
  for (const verdict of await verdicts(bed, before)) expect(verdict).toContain('UNABLE_TO_VERIFY');
  // Every connection of the sidecar is a new one then.
  await bed.kubectl('rollout', 'restart', 'deployment/orders-gateway');
  await bed.kubectl('rollout', 'status', 'deployment/orders-gateway', '--timeout=120s');
  const done = traffic.done;
  await slowly(async () => (traffic.done > done + 10 ? true : undefined));
  await traffic.stop();

  expect(traffic.failures).toEqual([]);
  expect(await codec.fetchAll()).toBe(traffic.done);
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  show(
    'authority rotated by hand under load',
    `both published, then the new one signs, then the old one goes: ${seconds} s (an hour without the help of the test); ` +
      `${traffic.done} payloads stored through a sidecar meanwhile, none failed`,
  );
});

/** The certificates in the store's ConfigMap. */
async function publishedBy(bed: StoreBed): Promise<string[]> {
  const path = '--output=jsonpath={.data.ca\\.crt}';
  return certificatesIn(await bed.kubectl('get', 'configmap', 'orders-ca', path));
}

function certificatesIn(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** Waits until the file of the sidecar has so many certificates. The kubelet updates files about once a minute. */
async function untilRead(bed: StoreBed, count: number): Promise<void> {
  const script = 'process.stdout.write(fs.readFileSync("/var/run/largepayload.dev/ca.crt"))';
  const command = ['/nodejs/bin/node', '-e', script];
  await slowly(async () => {
    const pem = await bed.kubectl('exec', 'worker', '--container=payload-store', '--', ...command);
    return certificatesIn(pem).length === count ? true : undefined;
  }, STEP_LIMIT);
}

/**
 * Makes the step of a rotation seem old enough for the next one. 15 minutes pass for pods to read what is published, and an hour after a
 * certificate was replaced.
 */
async function pretendToWait(): Promise<void> {
  const since = new Date(Date.now() - 2 * 3_600_000).toISOString();
  await operatorKubectl('annotate', AUTHORITY, '--overwrite', `largepayload.dev/since=${since}`);
}

/** Does what the operator does 15 minutes after it has replaced the last certificate. */
async function dropThePrevious(): Promise<void> {
  const patch = '--patch=[{"op":"remove","path":"/data/previous.crt"}]';
  await operatorKubectl('patch', AUTHORITY, '--type=json', patch);
}

/** Of each gateway: `verified`, or why its certificate is not one of this authority for the gateway's Service. */
async function verdicts(bed: StoreBed, authority: string): Promise<string[]> {
  const path = '--output=jsonpath={.items[*].status.podIP}';
  const addresses = await bed.kubectl('get', 'pods', '--selector=largepayload.dev/store=orders', path);
  return await Promise.all(
    addresses.split(' ').map(async (host) => {
      const servername = `orders-gateway.${bed.namespace}.svc`;
      const socket = connect({ host, port: 8577, servername, ca: authority, rejectUnauthorized: false });
      try {
        await once(socket, 'secureConnect', { signal: AbortSignal.timeout(CONNECT_LIMIT) });
        expect(socket.getProtocol()).toBe('TLSv1.3');
        const { authorizationError } = socket;
        return socket.authorized
          ? 'verified'
          : `${host}: ${authorizationError}, ${socket.getPeerCertificate().issuer.CN}`;
      } finally {
        socket.destroy();
      }
    }),
  );
}
