import { createHash, hash } from 'node:crypto';
import { IntegrityError } from '../errors/integrity-error.ts';
import type { BlobFacts } from './blob-facts.ts';
import { type ByteSource, drain } from './byte-streams.ts';

/** The same bytes. A sink that has received all `facts.size` of them has received the right ones. @throws IntegrityError */
export function verifiedSource(source: ByteSource, facts: BlobFacts): ByteSource {
  return {
    async readInto(sink) {
      const verification = new Verification(facts);
      await source.readInto({
        write(chunk) {
          if (chunk.length === 0) return undefined;
          verification.take(chunk);
          return sink.write(chunk);
        },
      });
      verification.assertComplete();
    },
  };
}

/** Reads the source to its end. @throws IntegrityError; the signal's reason */
export async function verify(source: ByteSource, facts: BlobFacts, signal: AbortSignal): Promise<void> {
  await drain(verifiedSource(source, facts), signal);
}

/** Compares bytes with what is promised of them, before each chunk is passed on. */
export class Verification {
  readonly #facts: BlobFacts;
  readonly #hash = createHash('sha256');
  #seen = 0;
  #failure: IntegrityError | undefined;

  constructor(facts: BlobFacts) {
    this.#facts = facts;
  }

  /** @throws IntegrityError for the chunk that completes the bytes, when they are wrong, and for one chunk too many */
  take(chunk: Buffer): void {
    const { size } = this.#facts;
    this.#seen += chunk.length;
    if (this.#seen > size) this.#fail(`more than the promised ${size} bytes`);
    if (this.#seen === chunk.length && this.#seen === size) this.#compare(hash('sha256', chunk, 'hex'));
    else {
      this.#hash.update(chunk);
      if (this.#seen === size) this.#compare(this.#hash.digest('hex'));
    }
  }

  /** @throws IntegrityError when bytes are missing, or were wrong before */
  assertComplete(): void {
    const { size } = this.#facts;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#seen < size) this.#fail(`${this.#seen} bytes instead of the promised ${size}`);
    if (size === 0) this.#compare(hash('sha256', '', 'hex'));
  }

  #compare(hex: string): void {
    const { digest } = this.#facts;
    if (`sha256:${hex}` !== digest) this.#fail(`the bytes have the digest sha256:${hex}, not ${digest}`);
  }

  #fail(message: string): never {
    this.#failure = new IntegrityError(message);
    throw this.#failure;
  }
}
