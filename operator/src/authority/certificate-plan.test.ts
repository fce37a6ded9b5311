import { expect, test } from 'vitest';
import { certificateNames, MOST_FURTHER_NAMES, withKeptNames } from './certificate-names.ts';
import {
  CERTIFICATE_LIFE_MS,
  certificateLifetime,
  findCertificate,
  issuedAt,
  RENEWED_BEFORE_END_MS,
  reasonToIssue,
} from './certificate-plan.ts';
import { type CertificateFacts, readPair } from './read-certificate.ts';
import { makeAuthority, makeServerCertificate } from './x509.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2027-03-01T00:00:00Z');
const NAMES = ['*.orders.svc', '*.orders.svc.cluster.local'];
const authorityFor = (days: number) =>
  makeAuthority(`CA for ${days} days`, { notBefore: NOW - DAY_MS, notAfter: NOW + days * DAY_MS });
const pair = authorityFor(1_000);
const authority = readPair(pair);
const made = (daysAgo: number, names = NAMES, by = pair) =>
  makeServerCertificate(names, certificateLifetime(readPair(by), NOW - daysAgo * DAY_MS), by);
const fresh = made(0);

const reasonAt = (now: number, found: Parameters<typeof findCertificate>[0], by: CertificateFacts) =>
  reasonToIssue(findCertificate(found, by), { names: NAMES, authority: by }, now);

test.each<
  [string, { certificate: string | undefined; key: string | undefined } | undefined, string | undefined]
>([
  ['there is none', undefined, 'Missing'],
  ['the Secret has other fields only', { certificate: undefined, key: undefined }, 'Missing'],
  ['it is no certificate', { ...fresh, certificate: 'x' }, 'Damaged'],
  ['it is truncated', { ...fresh, certificate: fresh.certificate.slice(0, 300) }, 'Damaged'],
  ['its key has gone', { ...fresh, key: undefined }, 'Damaged'],
  ['its key is truncated', { ...fresh, key: fresh.key.slice(0, 100) }, 'Damaged'],
  ['its key is that of another', { ...fresh, key: made(0).key }, 'Damaged'],
  ['another authority signed it', made(0, NAMES, authorityFor(1_000)), 'OtherAuthority'],
  ['it is that of the authority itself', pair, 'OtherNames'],
  ['it has signed itself', authorityFor(900), 'OtherAuthority'],
  ['a name was added', made(0, NAMES.slice(0, 1)), 'OtherNames'],
  ['a name was removed', made(0, [...NAMES, 'payloads.example.com']), 'OtherNames'],
  ['it begins in the future, as the clock was ahead', made(-2), 'NotYetValid'],
  ['it is new', fresh, undefined],
  ['it has its names in another order', made(0, NAMES.toReversed()), undefined],
  ['it has 91 days left', made(89), undefined],
  ['it has 89 days left', made(91), 'Old'],
  ['it has expired', made(181), 'Old'],
])('when %s, the certificate is made anew only for that reason', (_what, found, reason) => {
  expect(reasonAt(NOW, found, authority)).toBe(reason);
});

test('a certificate has 45 days left although the operator was away for a month before its renewal', () => {
  expect(RENEWED_BEFORE_END_MS - 31 * DAY_MS).toBeGreaterThanOrEqual(45 * DAY_MS);
});

test('a certificate ends with its authority at the latest, and is not renewed again and again for that', () => {
  const ending = authorityFor(30);
  const last = made(0, NAMES, ending);
  expect(readPair(last).notAfter).toBe(readPair(ending).notAfter);
  expect(reasonAt(NOW, last, readPair(ending))).toBeUndefined();
  expect(reasonAt(NOW + DAY_MS, last, readPair(ending))).toBeUndefined();
});

test('a certificate is valid for clients whose clocks are five minutes behind', () => {
  const { notBefore, notAfter } = certificateLifetime(authority, NOW);
  expect(notBefore).toBe(NOW - 300_000);
  expect(notAfter).toBe(NOW + CERTIFICATE_LIFE_MS);
  expect(issuedAt(notBefore)).toBe(NOW);
});

test('the names are those of all Services of the namespace, and of its stores, each once and up to a limit', () => {
  const few = certificateNames('orders', ['b.example.com', 'a.example.com', 'b.example.com']);
  expect(few).toEqual({ names: [...NAMES, 'a.example.com', 'b.example.com'], leftOut: 0 });
  const many = Array.from({ length: 5_000 }, (_, n) => `store-${n}.example.com`);
  const { names, leftOut } = certificateNames('orders', many);
  expect([names.length, leftOut]).toEqual([MOST_FURTHER_NAMES + 2, 5_000 - MOST_FURTHER_NAMES]);
  // The order of the stores makes no difference, so the certificate stays as it is.
  expect(certificateNames('orders', many.toReversed()).names).toEqual(names);
});

test('names of a certificate that was found stay as far as a store may ask for them, and up to the limit', () => {
  const ofOthers = ['*.payments.svc', '*.payments.svc.cluster.local', 'kubernetes.default.svc', 'kubernetes'];
  const found = [...NAMES, ...ofOthers, 'a.example.com', '*.a.example.com', 'A.example.com', '10.0.0.1'];
  expect(withKeptNames(NAMES, found)).toEqual([...NAMES, 'a.example.com', '*.a.example.com']);
  const many = Array.from({ length: 5_000 }, (_, n) => `store-${n}.example.com`);
  const first = withKeptNames([...NAMES, 'z.example.com'], many);
  expect(first).toHaveLength(MOST_FURTHER_NAMES + 2);
  expect(first).toContain('z.example.com');
  expect(withKeptNames([...NAMES, 'z.example.com'], first)).toEqual(first);
});
