import { createCipheriv, createDecipheriv, generateKeySync, getFips, hash } from 'node:crypto';
import type { BlobFacts } from './blob-facts.ts';
import { type TagEntry, TagTable } from './tag-table.ts';
import { checkByHash, type DigestCheck } from './verified-body.ts';

/** GMAC: AES-GCM over associated data only (NIST SP 800-38D, 3). */
const CIPHER = 'aes-128-gcm';
const NONCE_BYTES = 12;
/** Smaller payloads get no tag: to make it costs more than one later check gains. docs/adr/0016-verify-once-then-cheaply.md */
const SMALLEST_TAGGED = 64 * 1024;

/**
 * Hashes the bytes of a digest once; later checks of that digest compare a tag, at about a tenth of the cost. Key and tags never
 * leave the memory of the process. Bytes with another tag are refused, and the next check of that digest hashes again.
 * docs/adr/0016-verify-once-then-cheaply.md has the argument.
 */
export class TagChecks {
  readonly #key = generateKeySync('aes', { length: 128 });
  readonly #table = new TagTable();
  /** The number of a tag is its nonce, so no two tags have the same one. */
  #lastNumber = 0;

  /**
   * @param namespace of Temporal. A tag counts in its own one only: else a caller could find out by a clock that another
   * namespace has equal bytes
   */
  begin(facts: BlobFacts, namespace = ''): DigestCheck {
    // A module in FIPS mode must choose the nonces of GCM itself (FIPS 140-3 IG C.H), and Node takes them from the caller.
    if (facts.size < SMALLEST_TAGGED || getFips() === 1) return checkByHash(facts);
    const name = hash('sha256', `${namespace} ${facts.digest}`, 'buffer');
    const entry = this.#table.find(name);
    return entry === undefined ? this.#hashAndTag(name, facts) : this.#compareTag(name, facts, entry);
  }

  #hashAndTag(name: Buffer, facts: BlobFacts): DigestCheck {
    const hashing = checkByHash(facts);
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const tagging = createCipheriv(CIPHER, this.#key, nonceOf(number));
    return {
      take(chunk) {
        hashing.take(chunk);
        tagging.setAAD(chunk);
      },
      finish: () => {
        const fault = hashing.finish();
        if (fault !== undefined) return fault;
        tagging.final();
        this.#table.put(name, { tag: tagging.getAuthTag(), number });
        return undefined;
      },
    };
  }

  #compareTag(name: Buffer, facts: BlobFacts, { tag, number }: TagEntry): DigestCheck {
    const checking = createDecipheriv(CIPHER, this.#key, nonceOf(number)).setAuthTag(tag);
    return {
      take: (chunk) => checking.setAAD(chunk),
      finish: () => {
        try {
          // Compares in constant time, and throws.
          checking.final();
          return undefined;
        } catch {
          this.#table.remove(name);
          return `the bytes are not those of the digest ${facts.digest}, which were read before`;
        }
      },
    };
  }
}

function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeBigUInt64BE(BigInt(number), NONCE_BYTES - 8);
  return nonce;
}
