import { expect, test } from 'vitest';
import { describeHolder, formatLease, type Lease, parseLease } from './lease.ts';

const LEASE: Lease = {
  ...{ holder: '0b54cbd3-7a86-4f0c-9c1c-6c6bc9c7a8a3', store: 'payments/orders', cluster: 'prod-eu' },
  ...{ since: Date.UTC(2026, 5, 1), renewed: Date.UTC(2026, 5, 2) },
  ...{ confirmed: true, released: false, shared: false },
  takenFrom: { holder: 'payments/orders', store: 'payments/orders' },
};
const FIELDS = JSON.parse(formatLease(LEASE));

test('what is written is read again, with its times as people read them', () => {
  expect(FIELDS).toMatchObject({ since: '2026-06-01T00:00:00.000Z', renewed: '2026-06-02T00:00:00.000Z' });
  expect(parseLease(formatLease(LEASE))).toEqual(LEASE);
  const { cluster: _cluster, takenFrom: _takenFrom, ...least } = LEASE;
  expect(parseLease(formatLease(least))).toEqual(least);
});

test('a longest lease fits into what is read of a small object', () => {
  const long = 'x'.repeat(253);
  const holder = { holder: long, store: long, cluster: long };
  const text = formatLease({ ...LEASE, ...holder, takenFrom: holder });
  expect(parseLease(text)).toMatchObject(holder);
  expect(text.length).toBeLessThan(4_096);
});

test.each([
  ['nothing', ''],
  ['no JSON', '{"holder":"'],
  ['null', 'null'],
  ['a list', '[]'],
  ['a holder that is no text', JSON.stringify({ ...FIELDS, holder: 5 })],
  ['an empty holder', JSON.stringify({ ...FIELDS, holder: '' })],
  ['a holder of two lines', JSON.stringify({ ...FIELDS, holder: 'a\nb' })],
  ['a cluster that is too long', JSON.stringify({ ...FIELDS, cluster: 'x'.repeat(254) })],
  ['no store', JSON.stringify({ ...FIELDS, store: undefined })],
  ['a time that is a number', JSON.stringify({ ...FIELDS, renewed: 5 })],
  ['a time that is none', JSON.stringify({ ...FIELDS, since: '2026-13-41T00:00:00.000Z' })],
  ['a flag that is a text', JSON.stringify({ ...FIELDS, released: 'false' })],
  ['a taken one that is a text', JSON.stringify({ ...FIELDS, takenFrom: 'a' })],
])('%s is unreadable', (_title, text) => {
  expect(parseLease(text)).toBe('unreadable');
});

test('a holder is told so that people find it', () => {
  expect(describeHolder(LEASE)).toBe(
    'payments/orders of the cluster prod-eu (0b54cbd3-7a86-4f0c-9c1c-6c6bc9c7a8a3)',
  );
  expect(describeHolder({ holder: 'payments/orders', store: 'payments/orders' })).toBe(
    'payments/orders, run outside of a cluster',
  );
});
