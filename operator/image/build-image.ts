import { MissingProgramError } from '@largepayload/tools/missing-program';
import { buildImage } from './image.ts';
import { HELP, parseOptions } from './options.ts';

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** @throws Error that tells what to do */
async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) return void process.stdout.write(HELP);
  const { image } = options;
  const built = await buildImage(options, (line) => console.log(line));
  console.log(`${image}, built by ${built.builder} on ${built.base}`);
  console.log(`${megabytes(built.bytes)}, of which ${megabytes(built.ownBytes)} are above its base`);
  if (built.archive === undefined) return console.log(`push it: docker push ${image}`);
  console.log(`in ${built.archive}; load it by one of`);
  for (const command of [
    'docker load --input',
    'podman load --input',
    'ctr --namespace k8s.io images import',
  ]) {
    console.log(`  ${command} ${built.archive}`);
  }
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  const unreachable = /gcr\.io|registry|dial tcp|i\/o timeout|no such host|pull/i.test(error.message);
  if (!(error instanceof MissingProgramError) && unreachable) {
    console.error('Where the registry of the base image cannot be reached: make image BASE=local');
  }
  process.exitCode = 1;
});
