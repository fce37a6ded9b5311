import type { CodecServerLimits } from '../memory/process-limits.ts';

/** What callers may ask of the codec server, as far as it does not follow from the memory of the process. Times in ms. */
export const DEFAULT_CODEC_LIMITS = {
  /** payloads in one call */
  payloads: 1_000,
  /** calls that wait for their turn; one more is refused */
  mostWaiting: 64,
  /** a call that waits longer for its turn is refused */
  waitTimeMs: 30_000,
  /** a request head must be complete after this time */
  headersTimeout: 10_000,
  /** a body must be complete so long after its turn has come */
  bodyTime: 30_000,
  /** references are read so long in one call; those after it are named, not read */
  workTime: 30_000,
  /** an answer must be taken so long after the work's time is over */
  answerTimeMs: 60_000,
};

export type CodecLimits = CodecServerLimits & Readonly<typeof DEFAULT_CODEC_LIMITS>;
