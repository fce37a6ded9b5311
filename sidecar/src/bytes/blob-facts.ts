/** What a body has to be. */
export interface BlobFacts {
  /** bytes */
  readonly size: number;
  /** `sha256:` + 64 hex digits */
  readonly digest: string;
}
