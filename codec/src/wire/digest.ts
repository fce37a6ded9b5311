import { createHash } from 'node:crypto';
import { setImmediate as nextLoopIteration } from 'node:timers/promises';

const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** About ten milliseconds of hashing, for which nothing else happens in the process. */
const sliceBytes = 8 * 1024 * 1024;

/** Whether `text` is a digest in the one form that keys and references carry: `sha256:` and 64 lower-case hex digits. */
export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** The digest of `bytes`, as `sha256:` and 64 lower-case hex digits. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The same, with pauses in which the rest of the process goes on. The bytes must not change meanwhile. */
export async function digestInSlices(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let start = 0; start < bytes.byteLength; start += sliceBytes) {
    if (start > 0) await nextLoopIteration();
    hash.update(bytes.subarray(start, start + sliceBytes));
  }
  return `sha256:${hash.digest('hex')}`;
}
