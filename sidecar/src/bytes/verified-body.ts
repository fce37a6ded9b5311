import { createHash } from 'node:crypto';
import { IntegrityError } from '../errors/integrity-error.ts';
import type { BlobFacts } from './blob-facts.ts';
import { type ByteSource, drain } from './byte-streams.ts';

/** Finds whether bytes are those of a digest. */
export interface DigestCheck {
  take(chunk: Buffer): void;
  /** Called once, after the last chunk. @returns what is wrong with the bytes; `undefined`: they are right */
  finish(): string | undefined;
}

/** Begins a check of bytes of this digest. */
export type BeginCheck = (facts: BlobFacts) => DigestCheck;

/** By SHA-256. */
export function checkByHash({ digest }: BlobFacts): DigestCheck {
  const hash = createHash('sha256');
  return {
    take: (chunk) => hash.update(chunk),
    finish() {
      const found = `sha256:${hash.digest('hex')}`;
      return found === digest ? undefined : `the bytes have the digest ${found}, not ${digest}`;
    },
  };
}

/** The source's bytes, verified: a sink that has received all `facts.size` bytes has received the right ones. @throws IntegrityError */
export function verifiedSource(source: ByteSource, facts: BlobFacts, beginCheck?: BeginCheck): ByteSource {
  return {
    async readInto(sink) {
      const verification = new Verification(facts, beginCheck);
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

/** Compares bytes with the promised size and digest, before each chunk is passed on. */
export class Verification {
  readonly #size: number;
  readonly #check: DigestCheck;
  #seen = 0;
  #failure: IntegrityError | undefined;

  constructor(facts: BlobFacts, beginCheck: BeginCheck = checkByHash) {
    this.#size = facts.size;
    this.#check = beginCheck(facts);
  }

  /** @throws IntegrityError for the chunk that completes the bytes, when they are wrong, and for one chunk too many */
  take(chunk: Buffer): void {
    this.#seen += chunk.length;
    if (this.#seen > this.#size) this.#fail(`more than the promised ${this.#size} bytes`);
    this.#check.take(chunk);
    if (this.#seen === this.#size) this.#finish();
  }

  /** @throws IntegrityError when bytes are missing, or were wrong before */
  assertComplete(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#seen < this.#size) this.#fail(`${this.#seen} bytes instead of the promised ${this.#size}`);
    if (this.#size === 0) this.#finish();
  }

  #finish(): void {
    const fault = this.#check.finish();
    if (fault !== undefined) this.#fail(fault);
  }

  #fail(message: string): never {
    this.#failure = new IntegrityError(message);
    throw this.#failure;
  }
}
