import { createHash, hash } from 'node:crypto';
import { IntegrityError } from '../errors/integrity-error.ts';
import type { BlobFacts } from './blob-facts.ts';

/**
 * Passes the chunks through and throws an IntegrityError in place of the chunk that would complete a body whose bytes
 * are not the promised ones. Whoever receives all `facts.size` bytes from it has received the right ones.
 */
export async function* verifiedBody(
  chunks: AsyncIterable<Buffer>,
  facts: BlobFacts,
): AsyncGenerator<Buffer, void, undefined> {
  const running = createHash('sha256');
  let seen = 0;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    seen += chunk.length;
    if (seen > facts.size) throw new IntegrityError(`more than the promised ${facts.size} bytes`);
    if (seen === chunk.length && seen === facts.size) {
      assertDigest(hash('sha256', chunk, 'hex'), facts);
    } else {
      running.update(chunk);
      if (seen === facts.size) assertDigest(running.digest('hex'), facts);
    }
    yield chunk;
  }
  if (seen < facts.size) throw new IntegrityError(`${seen} bytes instead of the promised ${facts.size}`);
  if (facts.size === 0) assertDigest(running.digest('hex'), facts);
}

/** Reads the body to its end. @throws IntegrityError */
export async function verify(
  chunks: AsyncIterable<Buffer>,
  facts: BlobFacts,
  signal: AbortSignal,
): Promise<void> {
  await drain(verifiedBody(chunks, facts), signal);
}

export async function drain(chunks: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<void> {
  for await (const _chunk of chunks) signal?.throwIfAborted();
  signal?.throwIfAborted();
}

function assertDigest(hex: string, facts: BlobFacts): void {
  if (`sha256:${hex}` !== facts.digest) {
    throw new IntegrityError(`the bytes have the digest sha256:${hex}, not ${facts.digest}`);
  }
}
