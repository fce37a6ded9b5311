import { expect, test } from 'vitest';
import { formatKey, ownerKeyPrefix } from './key.ts';
import { isPayloadOf } from './object-name.ts';
import { parseWindowName } from './window.ts';

const WINDOW = 'expires-20200101T000000Z-30d';
const DIGEST = `sha256:${'a'.repeat(64)}`;
const TAIL = `${DIGEST}/sha256:${'b'.repeat(64)}`;

test.each([
  `${WINDOW}/orders/common/${TAIL}`,
  `${WINDOW}/orders/custom/wf/b3JkZXItMQ/${TAIL}`,
  `${WINDOW}/orders/custom/${'x/'.repeat(410)}${TAIL}`,
  `${WINDOW}/o/custom/${ownerKeyPrefix('x'.repeat(600))}/${TAIL}`,
  `${WINDOW}/orders/${'0'.repeat(64)}.bin`,
  `${WINDOW}/${'n'.repeat(255)}/common/${TAIL}`,
])('%s is a payload of its window', (name) => {
  expect(isPayloadOf(`${WINDOW}/`, name)).toBe(true);
  expect(isPayloadOf('expires-20200101T000000Z-3d/', name)).toBe(false);
  expect(isPayloadOf('expires-20200101T000001Z-30d/', name)).toBe(false);
});

test('what formatKey writes is a payload of its window', () => {
  const window = parseWindowName(WINDOW);
  for (const keyPrefix of [undefined, 'wf/a', 'a/b/c']) {
    const key = { window, namespace: 'orders', keyPrefix, digest: DIGEST, metadataHash: DIGEST };
    expect(isPayloadOf(`${WINDOW}/`, formatKey(key).slice(1))).toBe(true);
  }
});

test.each([
  '',
  'store.json',
  'write-check',
  `${WINDOW}/`,
  `/${WINDOW}/orders/common/${TAIL}`,
  `blobs/orders/common/${TAIL}`,
  `expires-20200101T000000Z-30days/orders/common/${TAIL}`,
  `${WINDOW}/orders/`,
  `${WINDOW}/orders/common/${DIGEST}`,
  `${WINDOW}/orders/common/${TAIL}/more`,
  `${WINDOW}/orders/common/x/${TAIL}`,
  `${WINDOW}/orders/custom/${TAIL}`,
  `${WINDOW}/orders/other/${TAIL}`,
  `${WINDOW}/../blobs/common/${TAIL}`,
  `${WINDOW}//common/${TAIL}`,
  `${WINDOW}/.hidden/common/${TAIL}`,
  `${WINDOW}/orders/common/${TAIL.toUpperCase()}`,
  `${WINDOW}/orders/.bin`,
  `${WINDOW}/orders/xyz.bin`,
  `${WINDOW}/orders/deeper/0.bin`,
  `${WINDOW}/0.bin`,
  `${WINDOW}/orders/common/${TAIL}\n`,
  `${WINDOW}/orders/custom/${'x'.repeat(900)}/${TAIL}`,
])('%j is no payload of the window', (name) => {
  expect(isPayloadOf(`${WINDOW}/`, name)).toBe(false);
});
