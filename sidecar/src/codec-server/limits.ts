import type { CodecServerLimits } from '../memory/process-limits.ts';

/** What callers may ask of the codec server. Times in ms, sizes in bytes. */
export interface CodecLimits extends CodecServerLimits {
  /** payloads in one call */
  readonly payloads: number;
  /** calls that wait for their turn; one more is refused */
  readonly mostWaiting: number;
  /** a call that waits longer for its turn is refused */
  readonly waitTimeMs: number;
  /** a request head must be complete after this time */
  readonly headersTimeout: number;
  /** a body must be complete so long after its turn has come */
  readonly bodyTime: number;
  /** references are read so long in one call; those after it are named, not read */
  readonly workTime: number;
  /** an answer must be taken so long after the work's time is over */
  readonly answerTimeMs: number;
}

/** Those that do not follow from the memory of the process. */
export const DEFAULT_CODEC_LIMITS = {
  payloads: 1_000,
  mostWaiting: 64,
  waitTimeMs: 30_000,
  headersTimeout: 10_000,
  bodyTime: 30_000,
  workTime: 30_000,
  answerTimeMs: 60_000,
};
