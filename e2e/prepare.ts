import { GOFAKES3 } from '../sidecar/src/testing/s3-servers/gofakes3.ts';
import { MINIO } from '../sidecar/src/testing/s3-servers/minio.ts';
import { motoPackages } from '../sidecar/src/testing/s3-servers/moto.ts';
import { seaweedfsProgram } from '../sidecar/src/testing/s3-servers/seaweedfs-program.ts';
import { VERSITYGW } from '../sidecar/src/testing/s3-servers/versitygw.ts';
import { chosenProvider } from './cluster/clusters.ts';
import { localPrograms } from './cluster/programs.ts';
import { chromium } from './testing/chromium.ts';
import { goProgram } from './testing/go-program.ts';
import { MissingProgramError } from './testing/missing-program.ts';
import { temporalCli } from './testing/temporal-server.ts';

const say = (line: string) => console.log(line);

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  async storage() {
    for (const program of [VERSITYGW, MINIO, GOFAKES3]) await goProgram(program, say);
    await seaweedfsProgram(say);
    await motoPackages(say);
  },
  async temporal() {
    chromium(say);
    await temporalCli(say);
  },
  async kubernetes() {
    await goProgram(VERSITYGW, say);
    if ((await chosenProvider()).name === 'local') await localPrograms(say);
  },
};

/** Gets what takes long or may be missing, and says so, before any test runs. */
const part = PARTS[process.argv[2] ?? ''];
if (part === undefined) throw new Error(`usage: prepare.ts ${Object.keys(PARTS).join('|')}`);
try {
  await part();
} catch (error) {
  if (!(error instanceof MissingProgramError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
