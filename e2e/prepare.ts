import { chromium } from '@largepayload/testing/programs/chromium';
import { goProgram } from '@largepayload/testing/programs/go-program';
import { localPrograms } from '@largepayload/testing/programs/kubernetes';
import { chosenKubernetes } from '@largepayload/testing/programs/kubernetes-versions';
import { seaweedfsProgram } from '@largepayload/testing/programs/seaweedfs';
import { GOFAKES3 } from '@largepayload/testing/s3-servers/gofakes3';
import { MINIO } from '@largepayload/testing/s3-servers/minio';
import { motoPackages } from '@largepayload/testing/s3-servers/moto';
import { VERSITYGW } from '@largepayload/testing/s3-servers/versitygw';
import { temporalCli } from '@largepayload/testing/servers/temporal-server';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import { chosenProvider } from './cluster/clusters.ts';
import { PROGRAM_IMAGES } from './kubernetes/fixtures/program-images.fixture.ts';

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
    chromium(say);
    await goProgram(VERSITYGW, say);
    for (const program of Object.values(PROGRAM_IMAGES)) await program(say);
    if ((await chosenProvider()).name === 'local') await localPrograms(chosenKubernetes(), say);
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
