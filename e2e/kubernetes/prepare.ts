import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { outputFolder } from '@largepayload/testing/processes/output-folder';
import { goProgram } from '@largepayload/testing/programs/go-program';
import { VERSITYGW } from '@largepayload/testing/s3-servers/versitygw';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import { runCommand } from '@largepayload/tools/run-command';
import { clusterUp } from '../cluster/clusters.ts';
import { CLUSTER_NAME } from './fixtures/names.fixture.ts';
import { quickStart, repository } from './fixtures/readme.fixture.ts';

const started = performance.now();
const say = (line: string) =>
  console.log(`${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${line}`);

/** Makes a cluster for the tests, and loads the image that README's commands build. */
try {
  await goProgram(VERSITYGW, say);
  const cluster = await clusterUp({ name: CLUSTER_NAME, nodes: 2, say });
  if (cluster.registryImage === undefined) {
    const archive = join(outputFolder, 'image.tar');
    mkdirSync(outputFolder, { recursive: true });
    const [build = ''] = quickStart();
    say(`building the image: ${build.trim()}`);
    // A cluster of processes has no registry, so its image is built on this machine's files.
    const base = cluster.provider === 'local' ? { BASE: 'local' } : {};
    const env = { ...process.env, ...base, OUTPUT: `docker-archive:${archive}` };
    await runCommand('bash', ['-euo', 'pipefail', '-c', build], { cwd: repository, env, limitMs: 600_000 });
    say('loading the image');
    await cluster.loadImage(archive);
  }
  say(`cluster ${CLUSTER_NAME} is prepared`);
} catch (error) {
  if (!(error instanceof MissingProgramError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
