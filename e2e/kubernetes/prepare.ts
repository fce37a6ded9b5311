import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { outputFolder } from '@largepayload/testing/processes/output-folder';
import { goProgram } from '@largepayload/testing/programs/go-program';
import { VERSITYGW } from '@largepayload/testing/s3-servers/versitygw';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import { runCommand } from '@largepayload/tools/run-command';
import { clusterUp } from '../cluster/clusters.ts';
import type { Cluster } from '../cluster/provider.ts';
import { CLUSTER_NAME } from './fixtures/names.fixture.ts';
import { PROGRAM_IMAGES, writeProgramImage } from './fixtures/program-images.fixture.ts';
import { quickStart, repository } from './fixtures/readme.fixture.ts';

const started = performance.now();
const say = (line: string) =>
  console.log(`${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${line}`);

/** Makes a cluster for the tests, and loads the images that README's commands build, and those of the tests' own programs. */
try {
  await goProgram(VERSITYGW, say);
  const cluster = await clusterUp({ name: CLUSTER_NAME, nodes: 2, say });
  if (cluster.registryImage === undefined) {
    mkdirSync(outputFolder, { recursive: true });
    await Promise.all([loadImagesOfReadme(cluster), loadProgramImages(cluster)]);
  }
  say(`cluster ${CLUSTER_NAME} is prepared`);
} catch (error) {
  if (!(error instanceof MissingProgramError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function loadImagesOfReadme(cluster: Cluster): Promise<void> {
  const [service, example] = ['image.tar', 'example-image.tar'].map((name) => join(outputFolder, name));
  const [build = ''] = quickStart();
  say(`building the images: ${build.trim()}`);
  // A cluster of processes has no registry, so its images are built on this machine's files.
  const base = cluster.provider === 'local' ? { BASE: 'local' } : {};
  const outputs = { OUTPUT: `docker-archive:${service}`, EXAMPLE_OUTPUT: `docker-archive:${example}` };
  const env = { ...process.env, ...base, ...outputs };
  await runCommand('bash', ['-euo', 'pipefail', '-c', build], { cwd: repository, env, limitMs: 600_000 });
  say('loading the images');
  for (const archive of [service, example]) await cluster.loadImage(archive ?? '');
}

async function loadProgramImages(cluster: Cluster): Promise<void> {
  for (const name of Object.keys(PROGRAM_IMAGES)) {
    const archive = join(outputFolder, `${name.replaceAll(/\W/g, '-')}.tar`);
    await writeProgramImage(name, archive, say);
    await cluster.loadImage(archive);
  }
}
