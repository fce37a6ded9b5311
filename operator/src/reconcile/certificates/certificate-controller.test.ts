import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import type { ApiError } from '../../kubernetes/api.ts';
import { store } from '../../stores/stores.fixture.ts';
import {
  AUTHORITY,
  asked,
  refusal,
  running,
  ScriptedSource,
  WELL,
  withNames,
} from './certificate-controller.fixture.ts';

test('a namespace is settled once for all of its stores, again when their names change, and removed with the last one', async () => {
  const source = new ScriptedSource();
  const { put, remove, controller } = running(
    source,
    withNames('orders', 'one', ['b.example.com']),
    withNames('orders', 'two', ['a.example.com']),
    withNames('returns', 'one'),
  );
  expect(controller.stateOf('orders').isPending).toBe(true);
  await eventually(
    'both are settled',
    () => !controller.stateOf('orders').isPending && source.requests.length >= 2,
  );
  source.requests.length = 0;
  put(withNames('orders', 'one', ['b.example.com']));
  put(withNames('orders', 'two', ['c.example.com']));
  await eventually('the names are settled', () => source.requests.length > 0);
  expect(asked(source)).toEqual(['orders b.example.com c.example.com']);
  remove('orders/one');
  await eventually('one store has gone', () => source.requests.length > 1);
  expect(asked(source)[1]).toBe('orders c.example.com');
  expect(source.removed).toEqual([]);
  remove('orders/two');
  await eventually('the last store has gone', () => source.removed.length > 0);
  expect(source.removed).toEqual(['orders']);
});

test('names stay as they are while a resource of the namespace cannot be read', async () => {
  const source = new ScriptedSource();
  running(
    source,
    withNames('orders', 'one', ['a.example.com']),
    store({ storage: 'nonsense' }, { namespace: 'orders', name: 'two' }),
  );
  await eventually('it is settled', () => source.requests.length > 0);
  expect(source.requests[0]).toMatchObject({ keepsNames: true });
});

test('a certificate has as many names as it may have, and its stores are reconciled', async () => {
  const source = new ScriptedSource();
  const stores = Array.from({ length: 13 }, (_, store) =>
    withNames(
      'orders',
      `s${store}`,
      Array.from({ length: 16 }, (_, n) => `n${n}.s${store}.example.com`),
    ),
  );
  const { controller } = running(source, ...stores);
  await eventually('it is settled', () => !controller.stateOf('orders').isPending);
  expect(source.requests[0]?.names).toHaveLength(202);
  expect(controller.stateOf('orders').problem).toContain(
    '8 names of spec.gateway.dnsNames are not in the certificate',
  );
});

test('nothing is made before there is an authority, nor while it is damaged, and then everything', async () => {
  const source = new ScriptedSource();
  source.bundle = undefined;
  // Each look is one of these.
  const looks = [
    () => {},
    () => {
      source.bundle = 'PEM';
      source.problem = 'it is damaged';
    },
    () => expect(source.requests).toEqual([]),
    () => {
      source.problem = undefined;
    },
  ];
  source.onLook = () => {
    looks.shift()?.();
    return looks.length > 0;
  };
  const { controller, changed } = running(source, withNames('orders', 'one'), withNames('returns', 'two'));
  await eventually('all are settled', () => new Set(asked(source)).size === 2);
  expect(looks).toEqual([]);
  expect(controller.stateOf('returns').problem).toBeUndefined();
  expect(changed).toEqual(expect.arrayContaining(['orders/one', 'returns/two']));
});

test('all certificates are looked at when another authority signs, and count as replaced only then', async () => {
  const source = new ScriptedSource();
  source.onSettle = ({ namespace }) => ({ ...WELL, issuedAt: namespace === 'orders' ? 7 : 3 });
  let isSettled = false;
  source.onLook = () => {
    if (isSettled) source.authority = { ...AUTHORITY, fingerprint: 'two' };
    return source.replacedAt.at(-1) !== 7 || !isSettled;
  };
  const { controller } = running(source, withNames('orders', 'one'), withNames('returns', 'two'));
  await eventually(
    'they are settled',
    () => !controller.stateOf('orders').isPending && source.replacedAt.at(-1) === 7,
  );
  expect(source.replacedAt[0]).toBeUndefined();
  source.requests.length = 0;
  isSettled = true;
  await eventually('they are settled anew', () => new Set(asked(source)).size === 2);
});

test('a namespace whose certificate cannot be written comes again after pauses that grow, and its stores get a problem that lasts', async () => {
  const failures: Record<string, [failure: ApiError, problem: string | undefined]> = {
    quota: [refusal(403, 'exceeded quota: objects'), 'exceeded quota: objects'],
    policy: [refusal(422, 'denied by policy'), 'denied by policy'],
    away: [refusal(0, 'ECONNREFUSED'), undefined],
    conflict: [refusal(409, 'the object has been modified'), undefined],
    ending: [refusal(403, 'unable to create: because it is being terminated'), undefined],
  };
  const source = new ScriptedSource();
  source.onSettle = ({ namespace }) => {
    throw failures[namespace]?.[0];
  };
  const { controller } = running(source, ...Object.keys(failures).map((name) => withNames(name, 'orders')));
  const tries = (of: string) => source.requests.filter(({ namespace }) => namespace === of).length;
  await eventually('they were tried again', () => tries('quota') >= 3 && tries('away') >= 3);
  for (const [namespace, [, problem]] of Object.entries(failures)) {
    expect(controller.stateOf(namespace).problem).toBe(problem);
    // Without a pause there would be thousands.
    expect(tries(namespace)).toBeLessThan(20);
  }
  // It comes when its store is listed, and when the authority is there.
  expect(tries('ending')).toBeLessThanOrEqual(2);
});

test('a lack of the right to the authority is a problem of every namespace until it ends', async () => {
  const source = new ScriptedSource();
  source.bundle = undefined;
  source.onLook = () => {
    throw refusal(403, 'secrets "largepayload-ca" is forbidden');
  };
  const { controller, changed } = running(source, withNames('orders', 'one'), withNames('returns', 'two'));
  await eventually('both stores changed', () => changed.length === 2);
  expect(controller.stateOf('returns').problem).toContain('is forbidden');
  source.onLook = () => {
    source.bundle = 'PEM';
    return false;
  };
  await eventually('it has ended', () => controller.stateOf('returns').problem === undefined);
});

test('metrics show the earliest end, the end of the authority and the namespaces that lack a certificate, by no name', async () => {
  const source = new ScriptedSource();
  source.onSettle = ({ namespace }) =>
    namespace === 'orders' ? WELL : { ...WELL, notAfter: 1_800_000_000_000, problem: 'x' };
  const { metrics } = running(source, withNames('orders', 'one'), withNames('returns', 'two'));
  await eventually('both are settled', () => source.requests.length >= 2);
  const text = await metrics.registry.metrics();
  expect(text).toContain('large_payload_operator_authority_not_after_timestamp_seconds 2000000000\n');
  expect(text).toContain('large_payload_operator_certificate_not_after_timestamp_seconds 1800000000\n');
  expect(text).toContain('large_payload_operator_certificates{healthy="true"} 1\n');
  expect(text).toContain('large_payload_operator_certificates{healthy="false"} 1\n');
  expect(text).not.toMatch(/orders|returns/);
});
