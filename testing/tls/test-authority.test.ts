import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { integer } from './der.ts';
import { testAuthority } from './test-authority.ts';

const AUTHORITY = testAuthority();

test('a certificate of a test is signed by its authority, and has its names', () => {
  const leaf = new X509Certificate(
    AUTHORITY.issue(['localhost', '*.orders.svc', '10.0.0.7', 'fe80::1:2']).certificate,
  );
  const authority = new X509Certificate(AUTHORITY.certificate);
  expect(leaf.checkIssued(authority)).toBe(true);
  expect(leaf.verify(authority.publicKey)).toBe(true);
  expect(authority.ca).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.subjectAltName).toBe(
    'DNS:localhost, DNS:*.orders.svc, IP Address:10.0.0.7, IP Address:FE80:0:0:0:0:0:1:2',
  );
});

test.each([
  '1970-01-01T00:00:00.000Z',
  '2026-03-04T05:06:07.000Z',
  '2049-12-31T23:59:59.000Z',
  '2050-01-01T00:00:00.000Z',
])('a certificate of a test may end at %s', (end) => {
  const { certificate } = AUTHORITY.issue(undefined, { notBefore: 0, notAfter: Date.parse(end) });
  const { validFrom, validTo } = new X509Certificate(certificate);
  expect([validFrom, validTo].map((each) => new Date(each).toISOString())).toEqual([
    '1970-01-01T00:00:00.000Z',
    end,
  ]);
});

test.each([
  [[0], '020100'],
  [[0, 0, 0], '020100'],
  [[0, 1], '020101'],
  [[0x80], '02020080'],
  [[0, 0x80, 0], '0203008000'],
])('a number of the bytes %j is written in as few bytes as it takes', (bytes, written) => {
  expect(integer(Buffer.from(bytes)).toString('hex')).toBe(written);
});
