import type { DeleteOutcome } from '../../drivers/driver.ts';
import { timeLimit } from '../../time/time-limit.ts';
import { TRIAL_NAME } from './write-trial.ts';

/** How long the storage may take to delete it (ms). */
const TRIAL_LIMIT = 8_000;

/** A driver as the trial knows it: it can name nothing but the object that gateways write as their own trial. */
export interface TrialDriver {
  delete(names: readonly [typeof TRIAL_NAME], signal: AbortSignal): Promise<DeleteOutcome>;
}

/**
 * Deletes the record that `tryWrite` writes, the way expired payloads are deleted. So a missing right shows before anything has
 * expired. The record need not exist: the storage checks the right all the same.
 * @throws StorageError that says why nothing can be deleted; the signal's reason
 */
export async function tryDelete(driver: TrialDriver, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, timeLimit(TRIAL_LIMIT, `the delete of ${TRIAL_NAME}, as a trial`)]);
  const { failed } = await driver.delete([TRIAL_NAME], limit);
  for (const { error } of failed) throw error;
}
