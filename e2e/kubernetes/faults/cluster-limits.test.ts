import { describe, expect, test } from 'vitest';
import { isConfiguration } from '../fixtures/owned-objects.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { checkFromPod } from './check-pod.fixture.ts';
import { namesOf } from './pods.fixture.ts';
import { stopwatch } from './stopwatch.fixture.ts';
import { expectCalm } from './what-people-see.fixture.ts';

const credentialsSecretRef = { name: CREDENTIALS };
const LONGEST_NAME = 'a-store-whose-name-has-40-characters-yes';

/** Events of the kubelet that a healthy start may have: an early probe, a volume that is mounted a moment later. */
const WARNINGS = '--field-selector=type=Warning,reason!=Unhealthy,reason!=FailedMount';

describe.concurrent('a store in a limited cluster', { timeout: 240_000 }, () => {
  test('reports a quota of pods, and becomes ready when it is raised', async () => {
    await using bed = await StoreBed.make('quota');
    await applyQuota(bed, { pods: '0' });
    const untilWords = stopwatch();
    await bed.applyStore('orders');
    const none = await bed.until('orders', 'Ready', { status: 'False', reason: 'QuotaExceeded' });
    const said = untilWords();
    expect(none.message).toContain('the ResourceQuota limits');
    await applyQuota(bed, { pods: '1' });
    const one = await bed.until('orders', 'Ready', { status: 'True', reason: 'FewerPods' });
    expect(one.message).toMatch(/only 1 of 2 .* the ResourceQuota limits/);
    await applyQuota(bed, { pods: '5' });
    const readyAfter = stopwatch();
    await follow(bed, one.message);
    await bed.until('orders', 'GatewayAvailable', { message: /^2 of 2/ });
    await bed.until('orders', 'Ready', { status: 'True', reason: 'Ready' });
    const ready = readyAfter();
    await expectCalm(bed, 'orders');
    show('quota: no pod', `after ${said}: ${none.message}`);
    show('quota: one pod of two', `${one.message}; raised and restarted: Ready after ${ready}`);
  });

  test('reports a quota of Deployments, and becomes ready when it is raised', async () => {
    await using bed = await StoreBed.make('quota');
    await applyQuota(bed, { 'count/deployments.apps': '0' });
    await bed.applyStore('orders', { gateway: { credentialsSecretRef, replicas: 1 } });
    const { message } = await bed.until('orders', 'Ready', { status: 'False', reason: 'QuotaExceeded' });
    expect(message).toContain('the Deployment orders-gateway');
    const readyAfter = stopwatch();
    await applyQuota(bed, { 'count/deployments.apps': '1' });
    await bed.untilReady('orders');
    const ready = readyAfter();
    await expectCalm(bed, 'orders');
    show('quota: no Deployment', `${message}; raised: Ready after ${ready}`);
  });

  test('becomes ready where Pod Security allows only restricted pods', async () => {
    const label = (mode: string) => `pod-security.kubernetes.io/${mode}`;
    await using bed = await StoreBed.make('restricted', {
      ...{ [label('enforce')]: 'restricted', [label('warn')]: 'restricted', [label('audit')]: 'restricted' },
    });
    await bed.applyStore('orders', { retention: { ttl: '30d' } });
    await bed.untilReady('orders');
    await bed.until('orders', 'ReaperHealthy', { status: 'True' });
    expect(await checkFromPod(bed, 'orders')).toContain('digest verified');
    const warnings = await bed.kubectl('get', 'events', WARNINGS, '--no-headers');
    expect(warnings).toBe('');
    const events = await expectCalm(bed, 'orders');
    show('Pod Security restricted', `Ready, its reaper too; no warnings, ${events} Events`);
  });

  test('becomes ready with the longest names', async () => {
    await using bed = await StoreBed.make('a-namespace-with-a-long-name-as-some-platforms-make');
    expect(LONGEST_NAME).toHaveLength(40);
    await expect(bed.applyStore(`${LONGEST_NAME}s`)).rejects.toThrow('at most 40 characters');
    await bed.applyStore(LONGEST_NAME, {
      storage: bed.s3Storage({ prefix: `${'p'.repeat(100)}/` }),
      retention: { ttl: '3650d', reaperInterval: '24h' },
      temporalNamespaces: ['orders'],
      allowedNamespaces: ['default'],
      maxPayloadSize: '5Gi',
      gateway: { credentialsSecretRef, replicas: 2 },
    });
    await bed.untilReady(LONGEST_NAME);
    await bed.until(LONGEST_NAME, 'ReaperHealthy', { status: 'True' });
    const [config = ''] = (await namesOf(bed, LONGEST_NAME, 'configmaps')).filter(isConfiguration);
    await expectCalm(bed, LONGEST_NAME);
    show('name of 40 characters', `Ready; its ConfigMap is ${config}`);
  });
});

/** Runs the command at the end of a message. */
async function follow(bed: StoreBed, message: string): Promise<void> {
  const [, command = ''] = /by kubectl (.*)$/.exec(message) ?? [];
  await bed.cluster.kubectl(...command.split(' '));
}

async function applyQuota(bed: StoreBed, hard: Record<string, string>): Promise<void> {
  await bed.apply({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'limits' }, spec: { hard } });
}
