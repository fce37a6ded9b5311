import { MissingProgramError } from '@largepayload/tools/missing-program';

/**
 * The program or server that tests need. Where it cannot be had: `undefined`, and the reason is printed; in CI an error.
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
