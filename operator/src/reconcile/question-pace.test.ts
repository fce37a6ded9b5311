import type { ReadStatusReport } from '@largepayload/crds';
import { expect, test } from 'vitest';
import type { PodReport } from '../stores/observed.ts';
import { type Heard, heard } from './question-pace.ts';

const report = (fields: Partial<ReadStatusReport>): PodReport => ({
  report: {
    ...{ store: 'shop/orders', storageID: undefined, version: '', ready: true },
    ...{ error: undefined, reaper: undefined, ...fields },
  },
});
const WELL = report({});
const ILL = report({ ready: false, error: { code: 'storage_full', message: '' } });
const SILENCE: PodReport = { unreachable: 'it did not answer within 5 s' };

/** What is known after each of these answers. */
function afterEach(...answers: readonly PodReport[]): readonly Heard[] {
  const known: Heard[] = [];
  for (const answer of answers) known.push(heard(known.at(-1), answer, true));
  return known;
}
const pausesOf = (...answers: readonly PodReport[]) =>
  afterEach(...answers).map(({ pause }) => pause / 1_000);

test('a pod that is not well is asked again after 1, 2, 4, 8, then every 15 s; one that is, every two minutes', () => {
  expect(pausesOf(ILL, ILL, ILL, ILL, ILL, ILL, WELL, WELL, ILL)).toEqual([1, 2, 4, 8, 15, 15, 120, 120, 1]);
});

test('a pod that stays silent is asked ever more rarely, as one that is well', () => {
  const silence = Array(9).fill(SILENCE);
  expect(pausesOf(...silence, ILL)).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120, 15]);
});

test('it is asked soon again once its readiness has changed', () => {
  const [known] = afterEach(...Array(9).fill(SILENCE)).slice(-1);
  expect(known?.pause).toBe(120_000);
  expect(heard(known, SILENCE, false).pause).toBe(1_000);
});

test('a reaper counts as well once it has completed a pass', () => {
  const reaper = (lastCompleted: number | undefined, lastError?: string) =>
    report({ reaper: { lastCompleted, lastError } });
  expect(pausesOf(reaper(undefined), reaper(1), reaper(1, 'denied'))).toEqual([1, 120, 1]);
});

test('who misses an answer or two is taken at its last word, or at none', () => {
  const told = (...answers: readonly PodReport[]) => afterEach(...answers).map(({ answer }) => answer);
  expect(told(WELL, SILENCE, SILENCE, SILENCE, ILL)).toEqual([WELL, WELL, WELL, SILENCE, ILL]);
  expect(told(SILENCE, SILENCE, WELL, SILENCE)).toEqual([undefined, undefined, WELL, WELL]);
});
