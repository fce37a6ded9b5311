import { createCipheriv, createHash } from 'node:crypto';
import type { Payload } from '@temporalio/common';

const MIB = 1024 * 1024;

/** Sizes of payloads in bytes, with their shares: one chunk, usual sizes, and sizes that the driver streams. */
const SIZES: readonly { readonly size: number; readonly share: number }[] = [
  { size: 130_000, share: 0.3 },
  { size: 400_000, share: 0.4 },
  { size: MIB, share: 0.2 },
  { size: 3 * MIB + 1, share: 0.07 },
  { size: 10 * MIB + 7, share: 0.03 },
];

/** Bytes of a payload. They differ for each id, and are the same each time for one id. */
export interface Content {
  readonly id: number;
  /** bytes */
  readonly size: number;
}

/** @param random from 0 to 1 */
export function contentOfSomeSize(id: number, random: number): Content {
  let left = random;
  for (const { size, share } of SIZES) {
    left -= share;
    if (left < 0) return { id, size: size + (id % 97) };
  }
  return { id, size: SIZES[0]?.size ?? 1 };
}

export function bytesOf({ id, size }: Content): Buffer {
  const key = createHash('md5').update(String(id)).digest();
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

export function payloadOf(content: Content): Payload {
  return { metadata: { encoding: Buffer.from('binary/plain') }, data: bytesOf(content) };
}
