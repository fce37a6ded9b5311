import { chromium } from '../testing/chromium.ts';
import { MissingProgramError } from '../testing/missing-program.ts';
import { temporalCli } from '../testing/temporal-server.ts';

const say = (line: string) => console.log(line);

/** Gets what takes long or may be missing, and says so, before any test runs. */
try {
  chromium(say);
  await temporalCli(say);
} catch (error) {
  if (!(error instanceof MissingProgramError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
