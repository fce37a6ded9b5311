import { expect, test } from 'vitest';
import { readStatusReport } from './status-report.ts';

const READY = {
  store: { namespace: 'payments', name: 'orders' },
  ...{ role: 'reaper', version: '0.1.0', storage: 's3', ready: true },
};
const errorOf = (error: unknown) => readStatusReport({ ...READY, ready: false, error })?.error;

test('a report of a pod that reaps has its last pass', () => {
  const reaper = { lastCompletedTime: '2026-06-01T11:30:00.000Z', lastError: 'no' };
  expect(readStatusReport({ ...READY, reaper })).toEqual({
    ...{ store: 'payments/orders', version: '0.1.0', ready: true, error: undefined },
    reaper: { lastCompleted: Date.parse('2026-06-01T11:30:00Z'), lastError: 'no' },
  });
});

test('a report of a pod that does not reap has its error, and no pass', () => {
  const error = { code: 'storage_denied', message: 'no' };
  expect(readStatusReport({ ...READY, ready: false, error, reaper: null })).toMatchObject({
    ...{ ready: false, error, reaper: undefined },
  });
});

test('a failed pass has its code and reason', () => {
  const lastFailure = { code: 'storage_denied', reason: 'AccessDenied', parameters: {} };
  const report = readStatusReport({ ...READY, reaper: { lastError: 'no', lastFailure } });
  expect(report?.reaper?.lastFailure).toEqual({
    ...{ code: 'storage_denied', message: 'no', reason: { name: 'AccessDenied' } },
  });
});

test('an error has the reason with its parameters, and no parameter besides', () => {
  const parameters = { direction: 'ahead', by: '5 s' };
  expect(errorOf({ code: 'clock_difference', message: 'm', reason: 'ClockDifference', parameters })).toEqual({
    ...{ code: 'clock_difference', message: 'm', reason: { name: 'ClockDifference', direction: 'ahead' } },
  });
});

test.each([
  ['of a newer version', { reason: 'NewerReason', parameters: {} }],
  ['that is no text', { reason: 7 }],
  ['that every object inherits', { reason: 'constructor' }],
  ['without its parameters', { reason: 'StorageOwnedByAnotherStore' }],
  ['with parameters that are a text', { reason: 'StorageOwnedByAnotherStore', parameters: 'owner' }],
  ['with a parameter of another type', { reason: 'StorageOwnedByAnotherStore', parameters: { owner: 7 } }],
  ['with an empty parameter', { reason: 'StorageOwnedByAnotherStore', parameters: { owner: '' } }],
  [
    'with a parameter of 3,000 characters',
    { reason: 'CredentialsFileMissing', parameters: { key: 'x'.repeat(3_000) } },
  ],
  ['with a parameter of a newer version', { reason: 'ClockDifference', parameters: { direction: 'both' } }],
])('of an error with a reason %s, code and message are left', (_which, fields) => {
  expect(errorOf({ code: 'storage_unavailable', message: 'm', ...fields })).toEqual({
    ...{ code: 'storage_unavailable', message: 'm', reason: undefined },
  });
});

test.each([undefined, null, 'text', [], {}, { code: 7, message: {} }])(
  'an error %j is still an error',
  (error) => {
    expect(errorOf(error)).toEqual({ code: 'internal', message: 'it does not say why', reason: undefined });
  },
);

test.each([null, 'text', [], {}, { store: 'x', ready: true }, { store: { namespace: 'a', name: 'b' } }])(
  '%j is no status report',
  (body) => {
    expect(readStatusReport(body)).toBeUndefined();
  },
);

test('texts for people are one line without control characters, of at most 2,000 characters', () => {
  const hostile = `a\u001b[2J\n\u0000\u2028b\ud800${'x'.repeat(60_000)}`;
  const parameters = { holder: 'a\u001b[2J\nb\ud800', since: 'now', shareIn: 'both' };
  const lease = {
    ...{ store: 'payments/orders', since: '2026-06-01T11:30:00.000Z' },
    takenFrom: { holder: hostile, store: hostile, cluster: hostile },
  };
  const report = readStatusReport({
    ...{ ...READY, ready: false, version: hostile, lease },
    error: { code: 'storage_unavailable', message: hostile, reason: 'StorageInUse', parameters },
    reaper: { lastError: hostile },
  });
  const line = `a [2J b\ufffd${'x'.repeat(2_000 - 10)}`;
  expect(report).toMatchObject({
    version: line,
    takenOver: { from: `${line} of the cluster ${line} (${line})` },
    error: { message: line, reason: { name: 'StorageInUse', holder: 'a [2J b\ufffd' } },
    reaper: { lastError: line },
  });
});

test.each(['+275760-09-13T00:00:00.000Z', '-000001-01-01T00:00:00.000Z', '1969-12-31T23:59:59Z', 'never'])(
  'a time %s that no status can have counts as none',
  (time) => {
    const reaper = { lastCompletedTime: time, waiting: { reason: 'clock_unconfirmed', until: time } };
    expect(readStatusReport({ ...READY, reaper })?.reaper).toMatchObject({
      lastCompleted: undefined,
      waiting: { until: undefined },
    });
  },
);

test.each([
  ['payments/orders', true],
  ['payments/orders/0b54cbd3-7a86', true],
  ['payments/orders/', false],
  ['payments/orders/a/b', false],
  ['payments/orders/a\n', false],
  [`payments/orders/${'a'.repeat(65)}`, false],
  ['payments/returns/a', false],
])('a storage %j is of the store: %s', (storageID, isTheStores) => {
  const expected = isTheStores ? storageID : undefined;
  expect(readStatusReport({ ...READY, storageID })?.storageID).toBe(expected);
});
