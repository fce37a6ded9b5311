import { expect, test } from 'vitest';
import {
  type AuthorityStep,
  afterStep,
  LONGEST_AFTER_BY_HAND_MS,
  planAuthority,
  signingProblem,
} from './authority-plan.ts';
import { type AuthorityState, bundleOf, type SigningAuthority } from './authority-state.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const NOW = Date.parse('2027-03-01T00:00:00Z');

/** Plans look at times only. */
function authority(name: string, leftDays = 1_000, agoDays = 100): SigningAuthority {
  const times = { notBefore: NOW - agoDays * DAY_MS, notAfter: NOW + leftDays * DAY_MS };
  return {
    ...{ certificate: name, key: name },
    facts: { pem: name, fingerprint: name, names: [], isAuthority: true, ...times },
  };
}

const one = authority('one');
const two = authority('two');
const state = (fields: Partial<AuthorityState> = {}): AuthorityState => ({
  current: one,
  since: NOW - 10 * DAY_MS,
  ...fields,
});
const minutesAgo = (minutes: number) => NOW - minutes * MINUTE_MS;
const daysAgo = (days: number) => NOW - days * DAY_MS;
const asked = { requested: 'key stolen', answered: undefined };
const byHand = { cause: 'ByHand', requested: 'key stolen', answered: 'key stolen' } as const;
const previous = two.facts;

test.each<[string, AuthorityState, number | undefined, AuthorityStep | undefined]>([
  ['it has 366 days left', state({ current: authority('one', 366) }), 0, undefined],
  ['it has 364 days left', state({ current: authority('one', 364) }), 0, { kind: 'begin', cause: 'Planned' }],
  ['a person asks for another', state(asked), 0, { kind: 'begin', cause: 'ByHand' }],
  ['the request was carried out', state({ ...byHand, cause: undefined }), 0, undefined],
  ['the next one is published for 29 days', state({ next: two, since: daysAgo(29) }), 0, undefined],
  ['the next one is published for 30 days', state({ next: two, since: daysAgo(30) }), 0, { kind: 'promote' }],
  [
    'a person asks while the next one of a planned rotation is published',
    state({ next: two, cause: 'Planned', ...asked }),
    0,
    { kind: 'begin', cause: 'ByHand' },
  ],
  [
    'by hand, the next one is published for 14 min',
    state({ next: two, ...byHand, since: minutesAgo(14) }),
    0,
    undefined,
  ],
  [
    'by hand, the next one is published for 15 min',
    state({ next: two, ...byHand, since: minutesAgo(15) }),
    0,
    { kind: 'promote' },
  ],
  ['the previous one signed until 23 h ago', state({ previous, since: minutesAgo(23 * 60) }), 0, undefined],
  ['the previous one signed until a day ago', state({ previous, since: daysAgo(1) }), 0, { kind: 'drop' }],
  [
    'a certificate of the previous one may be in use',
    state({ previous, since: daysAgo(90) }),
    undefined,
    undefined,
  ],
  [
    'the last certificate of the previous one was replaced an hour ago',
    state({ previous, since: daysAgo(90) }),
    minutesAgo(60),
    undefined,
  ],
  [
    'the previous one has expired',
    state({ previous: authority('two', 0).facts, since: daysAgo(1) }),
    undefined,
    { kind: 'drop' },
  ],
  [
    'by hand, the previous one signed until 14 min ago',
    state({ previous, ...byHand, since: minutesAgo(14) }),
    0,
    undefined,
  ],
  [
    'by hand, the previous one signed until 15 min ago',
    state({ previous, ...byHand, since: minutesAgo(15) }),
    0,
    { kind: 'drop' },
  ],
  [
    'by hand, a certificate of the previous one could not be replaced for an hour',
    state({ previous, ...byHand, since: NOW - LONGEST_AFTER_BY_HAND_MS }),
    undefined,
    { kind: 'drop' },
  ],
  [
    'a person asks while the previous one of a planned rotation is still published',
    state({ previous, cause: 'Planned', ...asked, since: minutesAgo(16) }),
    0,
    { kind: 'drop' },
  ],
  ['it has expired, and no other is there', state({ current: authority('one', -1) }), 0, { kind: 'create' }],
  [
    'it has expired, and the next one is there',
    state({ current: authority('one', -1), next: two }),
    0,
    { kind: 'promote' },
  ],
  [
    'both have expired',
    state({ current: authority('one', -1), next: authority('two', -1) }),
    0,
    { kind: 'create' },
  ],
  [
    'the time of the last step is tomorrow',
    state({ next: two, since: NOW + DAY_MS }),
    0,
    { kind: 'restamp' },
  ],
  [
    'the time of the last step cannot be read',
    state({ next: two, since: undefined }),
    0,
    { kind: 'restamp' },
  ],
  ['the time of the last step is a second away', state({ since: NOW + 1_000 }), 0, undefined],
])('when %s, the authority does what that asks for', (_what, before, replacedAt, step) => {
  expect(planAuthority({ state: before, replacedAt, now: NOW, nowHere: NOW })).toEqual(step);
});

test('an authority of the future, or of the past, signs nothing, and the message names the clock', () => {
  expect(signingProblem(state(), NOW)).toBeUndefined();
  for (const current of [authority('one', 1_000, -2), authority('one', -1)])
    expect(signingProblem(state({ current }), NOW)).toContain('correct the clock that is wrong');
});

test.each<[string, AuthorityState]>([
  ['expires', state({ current: authority('one', -1) })],
  ['gets old', state({ current: authority('one', 364) })],
  ['is still published beside the next one, and expires', state({ previous: authority('two', -1).facts })],
])('when an authority %s by one of two clocks, which differ, it stays', (_what, before) => {
  const earlier = NOW - 2_000 * DAY_MS;
  // Its last certificate was not replaced.
  const replacedAt = undefined;
  expect(planAuthority({ state: before, replacedAt, now: NOW, nowHere: NOW })).toBeDefined();
  expect(planAuthority({ state: before, replacedAt, now: NOW, nowHere: earlier })).toBeUndefined();
  const since = earlier;
  expect(
    planAuthority({ state: { ...before, since }, replacedAt, now: earlier, nowHere: NOW }),
  ).toBeUndefined();
});

test('a person who asks for another authority gets it although two clocks differ', () => {
  const nowHere = NOW - 2_000 * DAY_MS;
  const step = planAuthority({ state: state(asked), replacedAt: 0, now: NOW, nowHere });
  expect(step).toEqual({ kind: 'begin', cause: 'ByHand' });
});

test('a rotation by hand publishes both authorities until the old one is dropped, and answers the request once', () => {
  const steps: [string, string, string][] = [];
  let now: AuthorityState = state(asked);
  let time = NOW;
  for (let minute = 0; minute < 300; minute += 1) {
    time += MINUTE_MS;
    const step = planAuthority({ state: now, replacedAt: 0, now: time, nowHere: time });
    if (step === undefined) continue;
    now = afterStep(now, step, () => two, time);
    steps.push([step.kind, now.current.certificate, bundleOf(now)]);
  }
  expect(steps).toEqual([
    ['begin', 'one', 'onetwo'],
    ['promote', 'two', 'onetwo'],
    ['drop', 'two', 'two'],
  ]);
  expect(now).toEqual({ current: two, since: expect.any(Number), ...asked, answered: 'key stolen' });
});
