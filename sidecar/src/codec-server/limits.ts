/** What callers may ask of the codec server. Times in ms, sizes in bytes. */
export interface CodecLimits {
  /** largest request body; a body of base64 is a third larger than what it holds */
  readonly bodyBytes: number;
  /** payloads in one call */
  readonly payloads: number;
  /** data of references that one answer holds in full; what comes after it is previewed */
  readonly decodedBytes: number;
  /** calls worked on at a time; each may hold a body and, beside it, a payload */
  readonly concurrentCalls: number;
  /** calls that wait for their turn; one more is refused */
  readonly waitingCalls: number;
  /** a call that waits longer for its turn is refused */
  readonly waitTime: number;
  /** a request head must be complete after this time */
  readonly headersTimeout: number;
  /** a body must be complete so long after its turn has come */
  readonly bodyTime: number;
  /** references are read so long in one call; those after it are named, not read */
  readonly workTime: number;
  /** an answer must be taken so long after the work's time is over */
  readonly answerTime: number;
}

export const DEFAULT_CODEC_LIMITS: CodecLimits = {
  bodyBytes: 64 * 1024 * 1024,
  payloads: 1_000,
  decodedBytes: 32 * 1024 * 1024,
  concurrentCalls: 2,
  waitingCalls: 64,
  waitTime: 30_000,
  headersTimeout: 10_000,
  bodyTime: 30_000,
  workTime: 30_000,
  answerTime: 60_000,
};
