import { seaweedfsProgram } from '../sidecar/src/testing/s3-servers/seaweedfs-program.ts';
import { VERSITYGW } from '../sidecar/src/testing/s3-servers/versitygw.ts';
import { chromium } from './testing/chromium.ts';
import { goProgram } from './testing/go-program.ts';
import { MissingProgramError } from './testing/missing-program.ts';
import { temporalCli } from './testing/temporal-server.ts';

const say = (line: string) => console.log(line);

/** Gets what takes long or may be missing, and says so, before any test runs. */
try {
  chromium(say);
  await temporalCli(say);
  await goProgram(VERSITYGW, say);
  await seaweedfsProgram(say);
} catch (error) {
  if (!(error instanceof MissingProgramError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
