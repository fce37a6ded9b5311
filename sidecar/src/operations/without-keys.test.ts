import { expect, test } from 'vitest';
import { withoutKeys } from './without-keys.ts';

const WINDOW = 'expires-20261224T000000Z-30d';
const REST = `orders/custom/wf/c2VjcmV0/sha256:${'a'.repeat(64)}`;

test.each([
  [`cannot delete ${WINDOW}/${REST}/sha256:${'b'.repeat(64)}: EACCES`, `cannot delete ${WINDOW}/…: EACCES`],
  [`cannot delete /data/${WINDOW}/${REST}.sha256:${'b'.repeat(64)}.`, `cannot delete /data/${WINDOW}/….`],
  [`denied (AccessDenied: on "prefix/${WINDOW}/${REST}")`, `denied (AccessDenied: on "prefix/${WINDOW}/…")`],
  [`no /blobs/${REST}, sorry`, 'no /blobs/…, sorry'],
  [`the bytes have the digest sha256:${'a'.repeat(64)}`, 'the bytes have the digest sha256:…'],
  [
    'the bucket blobs at http://127.0.0.1:9000 does not exist',
    'the bucket blobs at http://127.0.0.1:9000 does not exist',
  ],
])('%s', (message, told) => {
  expect(withoutKeys(message)).toBe(told);
});
