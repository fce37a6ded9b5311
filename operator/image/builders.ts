import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inPath } from '@largepayload/tools/debian-packages';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import { runCommand } from '@largepayload/tools/run-command';

/** ms; a base image may come from far away */
const BUILD_LIMIT = 600_000;

export interface Build {
  readonly dockerfile: string;
  /** folder that COPY reads */
  readonly context: string;
  readonly name: string;
  readonly buildArguments: Readonly<Record<string, string>>;
  /** s since the epoch: when what is made says that it was made */
  readonly time: number;
}

/** What turns a Dockerfile into an image. */
export interface ImageBuilder extends AsyncDisposable {
  readonly name: string;
  /** Whether an image can be used by its name when it is built. Otherwise an archive is all that remains of it. */
  readonly keepsImages: boolean;
  build(build: Build): Promise<void>;
  /** Digests of an image's layers, the lowest first; it is here because something was built on it. */
  layers(image: string): Promise<readonly string[]>;
  /** Writes a docker-archive. */
  save(image: string, file: string): Promise<void>;
}

/** @throws MissingProgramError when there is none that works */
export async function imageBuilder(): Promise<ImageBuilder> {
  const docker = await dockerProblem();
  if (docker === undefined) return new Docker();
  if (inPath('buildah') !== undefined) return await Buildah.create();
  throw new MissingProgramError(
    `Docker or buildah is needed to build the image. ${docker} Either start Docker (https://docs.docker.com/engine/install/), ` +
      'or install buildah (on Debian and Ubuntu: apt-get install buildah).',
  );
}

/** Why Docker cannot be used; `undefined`: it can. */
export async function dockerProblem(): Promise<string | undefined> {
  if (inPath('docker') === undefined) return 'There is no `docker` and no `buildah` in PATH.';
  return await runCommand('docker', ['version', '--format', '{{.Server.Version}}']).then(
    () => undefined,
    ({ message }: Error) =>
      `There is no \`buildah\` in PATH, and Docker's daemon does not answer (${message.trim().split('\n').at(-1)}).`,
  );
}

class Docker implements ImageBuilder {
  readonly name = 'Docker';
  readonly keepsImages = true;

  async build(build: Build): Promise<void> {
    // Of an older builder the ignore file beside the Dockerfile would not be read.
    const env = { ...process.env, DOCKER_BUILDKIT: '1', SOURCE_DATE_EPOCH: `${build.time}` };
    const args = ['--quiet', '--file', build.dockerfile, '--tag', build.name, ...flags(build.buildArguments)];
    await runCommand('docker', ['build', ...args, build.context], { env, limitMs: BUILD_LIMIT });
  }

  async layers(image: string): Promise<readonly string[]> {
    // BuildKit reads a base image without keeping it under its name.
    const inspect = () =>
      runCommand('docker', ['image', 'inspect', '--format', '{{json .RootFS.Layers}}', image]);
    return JSON.parse(
      await inspect().catch(() => runCommand('docker', ['pull', '--quiet', image]).then(inspect)),
    );
  }

  async save(image: string, file: string): Promise<void> {
    await runCommand('docker', ['save', '--output', file, image]);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Works without a daemon, in a folder of its own that it removes, so that nothing else on the machine changes. */
class Buildah implements ImageBuilder {
  readonly name = 'buildah';
  readonly keepsImages = false;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<Buildah> {
    return new Buildah(await mkdtemp(join(tmpdir(), 'largepayload-buildah-')));
  }

  async build(build: Build): Promise<void> {
    const name = qualified(build.name);
    const ignored = `${build.dockerfile}.dockerignore`;
    // By itself buildah 1.28 looks for the ignore file in the context's folder only.
    const ignoreFile = existsSync(ignored) ? ['--ignorefile', ignored] : [];
    const args = ['--quiet', '--timestamp', `${build.time}`, '--format', 'docker', ...ignoreFile];
    await this.#run(
      'build',
      ...args,
      ...flags(build.buildArguments),
      '--file',
      build.dockerfile,
      '--tag',
      name,
      build.context,
    );
  }

  async layers(image: string): Promise<readonly string[]> {
    const { OCIv1 } = JSON.parse(await this.#run('inspect', '--type', 'image', image));
    return OCIv1.rootfs.diff_ids;
  }

  async save(image: string, file: string): Promise<void> {
    // It does not write over a file.
    const archive = join(this.#folder, 'archive.tar');
    const name = qualified(image);
    await this.#run('push', '--quiet', name, `docker-archive:${archive}:${name}`);
    await copyFile(archive, file);
    await rm(archive);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #run(command: string, ...args: string[]): Promise<string> {
    const storage = ['--root', join(this.#folder, 'root'), '--runroot', join(this.#folder, 'run')];
    return await runCommand('buildah', [...storage, '--storage-driver', 'vfs', command, ...args], {
      limitMs: BUILD_LIMIT,
      env: {
        ...process.env,
        BUILDAH_ISOLATION: 'chroot',
        STORAGE_DRIVER: 'vfs',
        TMPDIR: this.#folder,
      },
    });
  }
}

function flags(buildArguments: Readonly<Record<string, string>>): string[] {
  return Object.entries(buildArguments).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
}

/** buildah takes a name without a host for one of `localhost`; everybody else for one of Docker's registry. */
function qualified(image: string): string {
  const [host = '', ...rest] = image.split('/');
  if (rest.length === 0) return `docker.io/library/${image}`;
  return /[.:]|^localhost$/.test(host) ? image : `docker.io/${image}`;
}
