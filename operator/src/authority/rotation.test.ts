import { expect, test } from 'vitest';
import { during, SimulatedOperator, signed } from './rotation.fixture.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START = Date.parse('2027-03-01T00:00:00Z');
const NAMESPACES = ['orders', 'returns', 'payments'];

/** Numbers from 0 to 1, the same for each seed. */
function randomOf(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** What a client that is behind trusts, and what a gateway that is behind serves. */
interface Lag {
  readonly bundleMs: number;
  readonly servedMs: number;
}

/** The pairs of a bundle and a certificate that do not fit, at one moment. */
function broken(operator: SimulatedOperator, now: number, { bundleMs, servedMs }: Lag): string[] {
  const bundles = during(operator.bundles, now - bundleMs, now);
  return [...operator.served].flatMap(([namespace, history]) =>
    during(history, now - servedMs, now).flatMap((certificate) =>
      bundles
        .filter((bundle) => !bundle.some((one) => one.notAfter > now && signed(one, certificate)))
        .map(() => `${namespace} ${new Date(now).toISOString()}`),
    ),
  );
}

function leastLeftMs(operator: SimulatedOperator, now: number): number {
  const current = [...operator.served.values()].map((history) => history.at(-1)?.value.notAfter ?? 0);
  return Math.min(...current) - now;
}

test('for ten years no client that is 30 days behind loses its trust, and certificates have 45 days left at any time', () => {
  const operator = new SimulatedOperator(NAMESPACES, START);
  const random = randomOf(1);
  let awayUntil = 0;
  const failures: string[] = [];
  for (let now = START; now < START + 3_650 * DAY_MS; now += DAY_MS) {
    // Away for a month, four times a year; between that, every second look at a namespace fails.
    if (now > awayUntil + 60 * DAY_MS) awayUntil = now + 31 * DAY_MS;
    if (now >= awayUntil || now === START) operator.look(now, () => now === START || random() < 0.5);
    failures.push(...broken(operator, now, { bundleMs: 29 * DAY_MS, servedMs: HOUR_MS }));
    if (leastLeftMs(operator, now) < 45 * DAY_MS) failures.push(`45 days ${new Date(now).toISOString()}`);
  }
  expect(failures).toEqual([]);
  // The first authority ends within that time, the second one does not.
  expect(operator.steps.map(([kind]) => kind)).toEqual([
    ...['begin', 'promote', 'drop'],
    ...['begin', 'promote', 'drop'],
  ]);
});

test.each([1, 2, 3])(
  'with rotations by hand at any time, no pod that is ten minutes behind loses its trust (seed %i)',
  (seed) => {
    const operator = new SimulatedOperator(NAMESPACES, START);
    const random = randomOf(seed);
    const failures: string[] = [];
    let now = START;
    operator.look(now, () => true);
    for (let look = 0; look < 500; look += 1) {
      now += MINUTE_MS * (1 + Math.floor(random() * 5));
      if (random() < 0.02) operator.request(`request ${look}`);
      // A namespace that fails for so long would be given up after an hour.
      const failing = Math.floor(now / (20 * MINUTE_MS)) % 7 === 0 ? NAMESPACES[seed % 3] : undefined;
      operator.look(now, (namespace) => namespace !== failing);
      failures.push(...broken(operator, now, { bundleMs: 10 * MINUTE_MS, servedMs: 10 * MINUTE_MS }));
    }
    expect(failures).toEqual([]);
    expect(operator.steps.filter(([kind]) => kind === 'drop').length).toBeGreaterThan(3);
  },
);

test('a rotation by hand ends the trust in a stolen key after 80 minutes, although a namespace cannot be reached', () => {
  const operator = new SimulatedOperator(NAMESPACES, START);
  operator.look(START, () => true);
  const [stolen] = operator.bundles[0]?.value ?? [];
  operator.request('key stolen');
  for (let now = START; now <= START + 80 * MINUTE_MS; now += MINUTE_MS)
    operator.look(now, (namespace) => namespace !== 'returns');
  const trusted = operator.bundles.at(-1)?.value.map(({ fingerprint }) => fingerprint);
  expect(trusted).toHaveLength(1);
  expect(trusted).not.toContain(stolen?.fingerprint);
});

test('an authority and certificates that expired while the operator was away are replaced at once', () => {
  const operator = new SimulatedOperator(NAMESPACES, START);
  operator.look(START, () => true);
  const back = START + 6 * 365 * DAY_MS;
  operator.look(back, () => true);
  expect(broken(operator, back, { bundleMs: 0, servedMs: 0 })).toEqual([]);
  expect(leastLeftMs(operator, back)).toBe(180 * DAY_MS);
});
