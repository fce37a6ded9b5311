import { createHash } from 'node:crypto';

const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Whether `text` is a digest in the one form that keys and references carry: `sha256:` and 64 lower-case hex digits. */
export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** The digest of `bytes`, as `sha256:` and 64 lower-case hex digits. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
