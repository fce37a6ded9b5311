import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import type { KubernetesApi } from './api.ts';
import { apiBed, NEVER } from './api-server.fixture.ts';
import { LeaderElection, LeadershipLostError } from './leader-election.ts';
import { LEASES } from './resources.ts';

/** As by default, only shorter. */
const TIMES = { durationSeconds: 3, renewDeadlineSeconds: 2, retryPeriodSeconds: 0.4 };
/** Longer than a fault of a second and the answer of a busy API server after it. */
const PATIENT = { ...TIMES, durationSeconds: 7, renewDeadlineSeconds: 6 };
const bed = apiBed();

/** What happened, in order, of all candidates. */
type Story = { readonly at: number; readonly what: string }[];

function candidate(api: KubernetesApi, namespace: string, identity: string, story: Story, times = TIMES) {
  const stop = new AbortController();
  const failures: string[] = [];
  const onFailure = ({ message }: Error) => failures.push(message);
  const election = new LeaderElection({
    api,
    namespace,
    name: 'operator',
    identity,
    times,
    onFailure,
  });
  const tell = (what: string) => story.push({ at: performance.now(), what: `${identity} ${what}` });
  const lead = async (signal: AbortSignal) => {
    tell('leads');
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    tell('stops');
  };
  const ended = election.run(stop.signal, lead).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { election, stop, ended, failures, identity };
}

const wordsOf = (story: Story) => story.map(({ what }) => what);

function expectNeverTwo(story: Story): void {
  let leaders = 0;
  for (const { what } of story) {
    leaders += what.endsWith('leads') ? 1 : -1;
    expect(leaders, wordsOf(story).join(', ')).toBeLessThanOrEqual(1);
  }
}

const leaseOf = async (namespace: string) =>
  (await bed.api().get({ resource: LEASES, namespace, name: 'operator' }, NEVER)) ?? expect.fail('no lease');

test('of five processes one leads at a time, and each that stops hands over at once', async () => {
  const namespace = await bed.newNamespace();
  const story: Story = [];
  const five = ['a', 'b', 'c', 'd', 'e'].map((name) => candidate(bed.api(), namespace, name, story));
  for (let left = five.length; left > 0; left -= 1) {
    await eventually('there is a leader', () => story.length === (five.length - left) * 2 + 1, 10_000);
    const leader = five.find(({ election }) => election.isLeader) ?? expect.fail('none');
    expect((await leaseOf(namespace)).spec).toMatchObject({
      ...{ holderIdentity: leader.identity, leaseTransitions: five.length - left },
    });
    leader.stop.abort();
    expect(await leader.ended).toBeUndefined();
  }
  expect(new Set(wordsOf(story)).size).toBe(10);
  expectNeverTwo(story);
  for (let n = 2; n < story.length; n += 2) {
    const handover = (story[n]?.at ?? 0) - (story[n - 1]?.at ?? 0);
    // Nobody waited for the lease to run out.
    expect(handover).toBeLessThan(1_000);
  }
  expect((await leaseOf(namespace)).spec).toMatchObject({ holderIdentity: '' });
  expect(five.flatMap(({ failures }) => failures)).toEqual([]);
});

test.each(['cut', 'hang'] as const)(
  'a leader whose network is %s has stopped before another begins',
  async (fault) => {
    const namespace = await bed.newNamespace();
    const story: Story = [];
    const { api, proxy } = await bed.apiBehindProxy();
    const first = candidate(api, namespace, 'first', story);
    await eventually('it leads', () => story.length === 1);
    const second = candidate(bed.api(), namespace, 'second', story);
    await sleep(1_500);
    const faultAt = performance.now();
    proxy[fault]();
    await eventually('the other leads', () => wordsOf(story).includes('second leads'), 10_000);
    expect(wordsOf(story)).toEqual(['first leads', 'first stops', 'second leads']);
    const [, stopped, taken] = story.map(({ at }) => at - faultAt);
    // From the last renewal before the fault, which is up to a retry period old.
    expect(stopped).toBeGreaterThan(1_400);
    expect(stopped).toBeLessThan(2_200);
    expect(taken).toBeGreaterThan(2_400);
    expect(taken).toBeLessThan(4_500);
    expect(await first.ended).toBeInstanceOf(LeadershipLostError);
    proxy.heal();
    await sleep(500);
    second.stop.abort();
    expect(await second.ended).toBeUndefined();
    await proxy[Symbol.asyncDispose]();
  },
);

test('a short fault costs no leadership', async () => {
  const namespace = await bed.newNamespace();
  const story: Story = [];
  const { api, proxy } = await bed.apiBehindProxy();
  const first = candidate(api, namespace, 'first', story, PATIENT);
  await eventually('it leads', () => story.length === 1);
  const second = candidate(bed.api(), namespace, 'second', story, PATIENT);
  for (let n = 0; n < 3; n += 1) {
    proxy.cut();
    await sleep(1_000);
    proxy.heal();
    await sleep(1_500);
  }
  expect(wordsOf(story)).toEqual(['first leads']);
  expect(first.failures.length).toBeGreaterThan(0);
  first.stop.abort();
  second.stop.abort();
  expect([await first.ended, await second.ended]).toEqual([undefined, undefined]);
  await proxy[Symbol.asyncDispose]();
});

test('one renewal that is never answered costs no leadership', async () => {
  const namespace = await bed.newNamespace();
  const story: Story = [];
  const api = bed.api();
  let isHung = false;
  const replace: KubernetesApi['replace'] = async (resource, object, signal) => {
    if (isHung) return await api.replace(resource, object, signal);
    isHung = true;
    return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const hanging = new Proxy(api, {
    get: (target, name) => {
      if (name === 'replace') return replace;
      const member = target[name as keyof KubernetesApi] as (...args: never[]) => unknown;
      return member.bind(target);
    },
  });
  const { ended, failures, stop } = candidate(hanging, namespace, 'first', story);
  await eventually('it has failed once', () => failures.length === 1);
  await sleep(2_000);
  expect(wordsOf(story)).toEqual(['first leads']);
  stop.abort();
  expect(await ended).toBeUndefined();
});

test('leadership ends while the API server is away, and some process leads when it is back', async () => {
  const namespace = await bed.newNamespace();
  const story: Story = [];
  const both = ['a', 'b'].map((name) => candidate(bed.api(), namespace, name, story));
  await eventually('one leads', () => story.length === 1);
  const leader = both.find(({ election }) => election.isLeader);
  await bed.controlPlane().restart({ signal: 'SIGKILL', goneForMs: 3_000 });
  expect(await leader?.ended).toBeInstanceOf(LeadershipLostError);
  await eventually('the other leads', () => story.length === 3, 10_000);
  expectNeverTwo(story);
  for (const { stop } of both) stop.abort();
  await Promise.all(both.map(({ ended }) => ended));
});

test('leadership survives edits of others and a removed lease, and ends at once when the lease is given to another', async () => {
  const namespace = await bed.newNamespace();
  const story: Story = [];
  const { election, ended } = candidate(bed.api(), namespace, 'first', story);
  await eventually('it leads', () => story.length === 1);
  const lease = await leaseOf(namespace);
  const { metadata, apiVersion, kind } = lease;
  const edit = { apiVersion, kind, metadata: { namespace, name: 'operator', labels: { a: 'b' } } };
  await bed.api().apply(LEASES, edit, { force: true }, NEVER);
  await sleep(1_200);
  expect((await leaseOf(namespace)).metadata.labels).toEqual({ a: 'b' });
  await bed.api().delete({ resource: LEASES, namespace, name: 'operator' }, metadata.uid, NEVER);
  await sleep(1_200);
  expect((await leaseOf(namespace)).spec).toMatchObject({ holderIdentity: 'first', leaseTransitions: 0 });
  expect(election.isLeader).toBe(true);
  await steal(namespace);
  const began = performance.now();
  const lost = await ended;
  expect(lost).toBeInstanceOf(LeadershipLostError);
  expect((lost as Error).message).toMatch(/thief holds the lease/);
  // Else it would lead until its own lease has run out.
  expect(performance.now() - began).toBeLessThan(TIMES.renewDeadlineSeconds * 1_000);
});

/** Tries again when the leader has renewed its lease in between. */
async function steal(namespace: string): Promise<void> {
  await eventually('the lease is stolen', async () => {
    const lease = await leaseOf(namespace);
    const spec = { ...(lease.spec as object), holderIdentity: 'thief' };
    const replaced = bed.api().replace(LEASES, { ...lease, spec }, NEVER);
    return await replaced.then(
      () => true,
      () => false,
    );
  });
}

test('a failure of leading is passed on after the lease was given up', async () => {
  const namespace = await bed.newNamespace();
  const options = { api: bed.api(), namespace, name: 'operator', identity: 'first', times: TIMES };
  const failing = async () => {
    await sleep(100);
    throw new Error('a defect');
  };
  await expect(new LeaderElection(options).run(NEVER, failing)).rejects.toThrow('a defect');
  expect((await leaseOf(namespace)).spec).toMatchObject({ holderIdentity: '' });
});

test('a leader that does not stop is reported before another begins', async () => {
  const namespace = await bed.newNamespace();
  const { api, proxy } = await bed.apiBehindProxy();
  const options = { api, namespace, name: 'operator', identity: 'first', times: TIMES };
  let isLeading = false;
  const deaf = () => {
    isLeading = true;
    return new Promise<void>(() => {});
  };
  const lost = new LeaderElection(options).run(NEVER, deaf).catch((error: unknown) => error);
  await eventually('it leads', () => isLeading);
  const story: Story = [];
  const other = candidate(bed.api(), namespace, 'other', story);
  proxy.cut();
  expect(await lost).toBeInstanceOf(LeadershipLostError);
  expect(story).toEqual([]);
  await eventually('another leads', () => story.length === 1);
  other.stop.abort();
  await other.ended;
  await proxy[Symbol.asyncDispose]();
});
