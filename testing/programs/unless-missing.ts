import { MissingProgramError } from '@largepayload/tools/missing-program';

/**
 * What tests run on; `undefined`, the reason printed, where it cannot be had. In CI that is a failure.
 * @throws MissingProgramError in CI
 */
export async function unlessMissing<T>(get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (!(error instanceof MissingProgramError) || process.env.CI !== undefined) throw error;
    console.info(`skipped: ${error.message}`);
    return undefined;
  }
}
