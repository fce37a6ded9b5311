import type { S3Fault } from '../s3-client.ts';

/** What `x-amz-content-sha256` says where the signature holds the body only by its checksum header. */
export const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** How services refuse bytes that are not those of the checksum header: AWS and most others, and MinIO. */
const WRONG_BYTES: ReadonlySet<string> = new Set(['BadDigest', 'XAmzContentChecksumMismatch']);
/** What may be meant for the unsigned body, such as a bucket's policy with the condition `s3:x-amz-content-sha256`. */
const WANTS_SIGNED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'InvalidArgument',
  'InvalidRequest',
  'XAmzContentSHA256Mismatch',
]);

/**
 * Whether PUTs may leave the body's hash out of `x-amz-content-sha256`, so that the service hashes each body once instead of
 * twice. The checksum header is signed, so only a service that compares it keeps altered bytes out. It has to show that it
 * does, and each later answer has to bear the checksum; docs/adr/0014-requests-for-objects-are-signed-by-us.md.
 */
export class UnsignedPayloads {
  #areUsed = false;

  get areUsed(): boolean {
    return this.#areUsed;
  }

  /** @param fault how the service refused bytes that are not those of the checksum header */
  learn(fault: S3Fault | undefined): void {
    this.#areUsed = fault?.status === 400 && WRONG_BYTES.has(fault.code);
  }

  /** @returns whether the refusal may be meant for the unsigned body; no body is unsigned any more then */
  isEndedBy(fault: S3Fault | undefined): boolean {
    const isMeant = WANTS_SIGNED.has(fault?.code ?? '');
    if (isMeant) this.#areUsed = false;
    return isMeant;
  }

  /** A service that does not name the checksum of what it stored may compare none any more. */
  end(): void {
    this.#areUsed = false;
  }
}
