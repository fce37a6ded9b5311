import { expect, test } from 'vitest';
import { type ClockRecord, formatClockRecord, isPossibleTime, parseClockRecord } from './clock-record.ts';

const RECORD: ClockRecord = {
  mark: Date.UTC(2026, 5, 1, 12),
  seen: Date.UTC(2026, 5, 1, 12, 0, 1),
  lags: [{ by: 50_400_000, until: Date.UTC(2026, 5, 2, 4) }],
  agreedFor: 120_000,
  acceptances: 3,
  longestTtl: 43_200_000,
};

test.each([RECORD, { ...RECORD, mark: undefined, lags: [] }])('what is written is read again', (record) => {
  expect(parseClockRecord(formatClockRecord(record))).toEqual(record);
});

const LAG = { by: 1, until: '2026-06-01T12:00:00Z' };
test.each([
  '',
  'not JSON',
  'null',
  '[]',
  '7',
  '{}',
  ...[
    { mark: -1 },
    { mark: 1_780_000_000_000 },
    { mark: '9999-12-31T23:59:59Z' },
    { mark: '1970-01-01T00:00:00Z' },
    { mark: '-000001-01-01T00:00:00Z' },
    { mark: '+275760-09-13T00:00:00Z' },
    { mark: 'soon' },
    { mark: true },
    { seen: null },
    { seen: '9999-12-31T23:59:59Z' },
    { agreedFor: -1 },
    { agreedFor: '3600000' },
    { agreedFor: 1e300 },
    { acceptances: -1 },
    { acceptances: 1e15 },
    { longestTtl: -1 },
    { lags: {} },
    { lags: [{ ...LAG, by: -1 }] },
    { lags: [{ ...LAG, by: '1' }] },
    { lags: [{ ...LAG, until: 'later' }] },
    { lags: [null] },
    { lags: Array(17).fill(LAG) },
  ].map((change) => JSON.stringify({ ...JSON.parse(formatClockRecord(RECORD)), ...change })),
])('what this service does not write is no record: %s', (text) => {
  expect(parseClockRecord(text)).toBeUndefined();
});

test('a time that could not be read again is not written', () => {
  expect([Date.UTC(2026, 0), 0, Date.UTC(9999, 0), -1, Number.NaN].map(isPossibleTime)).toEqual([
    ...[true, false, false, false, false],
  ]);
});
