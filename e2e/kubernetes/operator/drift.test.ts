import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { appliedFor, isConfiguration, ownedObjects } from '../fixtures/owned-objects.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';

const STORE = 'main';
const GATEWAY = `${STORE}-gateway`;
const ONE_REPLICA = { gateway: { credentialsSecretRef: { name: CREDENTIALS }, replicas: 1 } };
/** duration of the dispute, s */
const DISPUTE_SECONDS = 40;

test.concurrent('the operator repairs objects that were edited or deleted by hand', async () => {
  await using bed = await StoreBed.make('drift');
  await bed.applyStore(STORE);
  await bed.untilReady(STORE);
  const before = await ownedObjects(bed, STORE);
  const configMap = before.map(({ metadata }) => metadata.name).find(isConfiguration) ?? '';

  const repairs: string[] = [];
  for (const [what, edit, read] of edits()) {
    const was = await bed.kubectl(...read);
    const seconds = await secondsUntil(bed, edit, async () => (await bed.kubectl(...read)) === was);
    repairs.push(`${what} after ${seconds} s`);
  }
  show('objects edited by hand', `repaired: ${repairs.join(', ')}`);
  const pods = await podNames(bed);

  const slowest = { seconds: 0 };
  for (const name of appliedFor(STORE, configMap)) {
    const [kind = '', object = ''] = name.split('/');
    const uid = before.find((each) => each.kind === kind && each.metadata.name === object)?.metadata.uid;
    const isAnother = async () => ![undefined, uid].includes(await uidOf(bed, name));
    const seconds = await secondsUntil(bed, ['delete', name, '--wait=false'], isAnother);
    slowest.seconds = Math.max(slowest.seconds, Number(seconds));
  }
  await bed.untilReady(STORE);
  expect(await podNames(bed), 'deleting the Deployment made other pods').not.toEqual(pods);
  show('objects deleted by hand', `all 8 are made again, within ${slowest.seconds.toFixed(1)} s each`);
});

/** Edits, each with a command that shows the field. No field is edited twice, since a second repair comes later. */
function edits(): [what: string, edit: string[], read: string[]][] {
  const patch = (what: string, kind: string, value: object, path: string): [string, string[], string[]] => [
    what,
    ['patch', kind, GATEWAY, '--type=merge', `--patch=${JSON.stringify(value)}`],
    ['get', kind, GATEWAY, `--output=jsonpath=${path}`],
  ];
  const renumbered = (
    what: string,
    kind: string,
    path: string,
    shown: string,
  ): [string, string[], string[]] => [
    what,
    [
      'patch',
      kind,
      GATEWAY,
      '--type=json',
      `--patch=${JSON.stringify([{ op: 'replace', path, value: 9_999 }])}`,
    ],
    ['get', kind, GATEWAY, `--output=jsonpath=${shown}`],
  ];
  const component = 'app.kubernetes.io/component';
  const [store, managedBy] = ['largepayload.dev/store', 'app.kubernetes.io/managed-by'];
  const labels = (...names: string[]) => ({
    metadata: { labels: Object.fromEntries(names.map((name) => [name, null])) },
  });
  return [
    [
      'image',
      ['set', 'image', `deployment/${GATEWAY}`, 'payload-store=example.com/another:1'],
      ['get', 'deployment', GATEWAY, '--output=jsonpath={.spec.template.spec.containers[0].image}'],
    ],
    renumbered('port of the Service', 'service', '/spec/ports/0/port', '{.spec.ports[*].port}'),
    renumbered(
      'port of the pods',
      'deployment',
      '/spec/template/spec/containers/0/ports/0/containerPort',
      '{.spec.template.spec.containers[0].ports[*].containerPort}',
    ),
    patch('selector', 'service', { spec: { selector: { [component]: 'x' } } }, '{.spec.selector}'),
    patch('disruption budget', 'pdb', { spec: { maxUnavailable: 2 } }, '{.spec.maxUnavailable}'),
    patch('policy', 'networkpolicy', { spec: { ingress: [] } }, '{.spec.ingress}'),
    patch('account', 'sa', { automountServiceAccountToken: true }, '{.automountServiceAccountToken}'),
    patch(
      'owner of the Deployment',
      'deployment',
      { metadata: { ownerReferences: [] } },
      '{.metadata.ownerReferences[*].uid}',
    ),
    patch('labels of the Service', 'service', labels(store, managedBy), '{.metadata.labels}'),
  ];
}

test.concurrent('the operator keeps fields that others add to its objects', async () => {
  await using bed = await StoreBed.make('foreign');
  await bed.applyStore(STORE, ONE_REPLICA);
  await bed.untilReady(STORE);
  const other = async (kind: string, apiVersion: string, more: object) => {
    const input = JSON.stringify({ apiVersion, kind, metadata: { name: GATEWAY }, ...more });
    const args = ['apply', '--server-side', '--field-manager=mesh', '--filename', '-'];
    await bed.cluster.run('kubectl', ['--namespace', bed.namespace, ...args], { input });
  };
  await other('ServiceAccount', 'v1', {
    metadata: { name: GATEWAY, annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/x' } },
  });
  await other('Service', 'v1', { metadata: { name: GATEWAY, labels: { team: 'payments' } } });
  await other('Deployment', 'apps/v1', {
    spec: { template: { metadata: { labels: { 'mesh.example.com/inject': 'enabled' } } } },
  });
  await bed.kubectl('set', 'env', `deployment/${GATEWAY}`, 'NO_PROXY=storage.example.com');
  const tolerations = [{ key: 'dedicated', operator: 'Exists' }];
  const tolerating = JSON.stringify({ spec: { template: { spec: { tolerations } } } });
  await bed.kubectl('patch', 'deployment', GATEWAY, '--type=merge', `--patch=${tolerating}`);
  await bed.kubectl('rollout', 'restart', `deployment/${GATEWAY}`);
  await bed.kubectl('rollout', 'status', `deployment/${GATEWAY}`, '--timeout=120s');
  // An edit makes the operator apply the Deployment again.
  await bed.kubectl('patch', 'lps', STORE, '--type=merge', '--patch={"spec":{"maxPayloadSize":"64Mi"}}');
  await bed.until(STORE, 'Ready', { status: 'False' });
  await bed.untilReady(STORE);

  const read = (kind: string, path: string) => bed.kubectl('get', kind, GATEWAY, `--output=jsonpath=${path}`);
  expect(await read('serviceaccount', '{.metadata.annotations}')).toContain('role/x');
  expect(await read('service', '{.metadata.labels.team}')).toBe('payments');
  const template = await read('deployment', '{.spec.template.metadata}');
  expect(template).toContain('mesh.example.com/inject');
  expect(template).toContain('kubectl.kubernetes.io/restartedAt');
  const pod = await read('deployment', '{.spec.template.spec}');
  expect(JSON.parse(pod)).toMatchObject({
    tolerations,
    containers: [{ env: [{ name: 'NO_PROXY', value: 'storage.example.com' }] }],
  });
  show(
    'others add to objects',
    'annotation, label, a label, a variable and a toleration of the pods, and `rollout restart` stay as they are',
  );
});

test.concurrent('the operator repairs a field at growing intervals when another writer keeps changing it', async () => {
  await using bed = await StoreBed.make('dispute');
  await bed.applyStore(STORE, ONE_REPLICA);
  await bed.untilReady(STORE);
  const label = '{.spec.selector.app\\.kubernetes\\.io/component}';
  const end = performance.now() + DISPUTE_SECONDS * 1_000;
  let repairs = -1;
  while (performance.now() < end) {
    const component = await bed.kubectl('get', 'service', GATEWAY, `--output=jsonpath=${label}`);
    if (component !== 'gateway') continue;
    repairs += 1;
    const patch = { spec: { selector: { 'app.kubernetes.io/component': 'theirs' } } };
    await bed.kubectl('patch', 'service', GATEWAY, '--type=merge', `--patch=${JSON.stringify(patch)}`);
  }
  // The operator repairs at once, then after 4, 8 and 16 s. The first repair may come before or after the first read here.
  expect(repairs).toBeGreaterThanOrEqual(3);
  expect(repairs).toBeLessThanOrEqual(6);
  show('two disagree for ever', `${repairs} repairs in ${DISPUTE_SECONDS} s, at growing intervals`);
});

async function secondsUntil(
  bed: StoreBed,
  edit: readonly string[],
  isRepaired: () => Promise<boolean>,
): Promise<string> {
  await bed.kubectl(...edit);
  const edited = performance.now();
  await eventualValue(async () => (await isRepaired()) || undefined, 90_000);
  return ((performance.now() - edited) / 1_000).toFixed(1);
}

async function uidOf(bed: StoreBed, name: string): Promise<string | undefined> {
  return (
    (await bed.kubectl('get', name, '--ignore-not-found', '--output=jsonpath={.metadata.uid}')) || undefined
  );
}

async function podNames(bed: StoreBed): Promise<string[]> {
  const pods = (await ownedObjects(bed, STORE)).filter(({ kind }) => kind === 'Pod');
  return pods.map(({ metadata }) => metadata.name).sort();
}
