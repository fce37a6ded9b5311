import { expect, test } from 'vitest';
import { digestOf, isDigest } from './digest.ts';

const emptyDigest = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

test('digests are SHA-256', () => {
  expect(digestOf(new Uint8Array())).toBe(emptyDigest);
  expect(digestOf(Buffer.from('abc'))).toBe(
    'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test.each([
  ['upper-case hex', emptyDigest.toUpperCase().replace('SHA', 'sha')],
  ['no algorithm', emptyDigest.slice('sha256:'.length)],
  ['too short', emptyDigest.slice(0, -1)],
  ['too long', `${emptyDigest}0`],
  ['a line break after it', `${emptyDigest}\n`],
  ['another algorithm', emptyDigest.replace('sha256', 'sha512')],
  ['a path', `${emptyDigest.slice(0, -3)}/..`],
])('not a digest: %s', (_name, text) => {
  expect(isDigest(emptyDigest)).toBe(true);
  expect(isDigest(text)).toBe(false);
});
