import { createHash } from 'node:crypto';
import { PayloadIntegrityError } from '../wire/errors.ts';

/** What a payload's bytes must turn out to be. */
export interface ExpectedPayload {
  /** Length in bytes. */
  readonly size: number;
  /** `sha256:` and hex. */
  readonly digest: string;
  /** Key for error messages; absent for objects found by their digest. */
  readonly key?: string | undefined;
  /** Ends the reading: its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Checks length and digest of bytes as they pass. */
export class PayloadVerifier {
  readonly #expected: ExpectedPayload;
  readonly #hash = createHash('sha256');
  #receivedBytes = 0;

  constructor(expected: ExpectedPayload) {
    this.#expected = expected;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** @throws PayloadIntegrityError when there are now more bytes than expected. */
  update(chunk: Uint8Array): void {
    this.#receivedBytes += chunk.byteLength;
    if (this.#receivedBytes > this.#expected.size) {
      throw this.#mismatch(`longer than the ${this.#expected.size} bytes expected`);
    }
    this.#hash.update(chunk);
  }

  /** @throws PayloadIntegrityError unless all bytes came, and they are the right ones. */
  finish(): void {
    const { size, digest } = this.#expected;
    if (this.#receivedBytes !== size) {
      throw this.#mismatch(`${this.#receivedBytes} bytes long instead of ${size}`);
    }
    const actual = `sha256:${this.#hash.digest('hex')}`;
    if (actual !== digest) throw this.#mismatch(`${actual} instead of ${digest}`);
  }

  #mismatch(reason: string): PayloadIntegrityError {
    return new PayloadIntegrityError(`the payload received is ${reason}`, { key: this.#expected.key });
  }
}
