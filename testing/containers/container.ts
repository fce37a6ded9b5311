import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageArchive } from '@largepayload/operator/image/archive';
import { type RunOptions, runCommand } from '@largepayload/tools/run-command';
import { Program } from '../processes/program.ts';

/** Mounts the image's files in a namespace of its own, then replaces itself by the program. */
const ENTER = `
set -e
root=$1 data=$2
shift 2
mount --bind "$root" "$root"
mount --bind "$data" "$root/data"
for folder in proc dev; do mount --rbind "/$folder" "$root/$folder"; done
mount -o remount,bind,ro "$root"
exec env -i "PATH=$IMAGE_PATH" chroot --userspec="$IMAGE_USER" --groups= "$root" "$@"
`;

/**
 * An image's files, and its programs run in them as Kubernetes' profile \`restricted\` would: as its own user, without
 * capabilities or new ones, its files read-only but for a folder at /data. The network is this machine's. Needs root.
 */
export class Container {
  readonly #root: string;
  readonly #data: string;
  readonly #image: ImageArchive;

  private constructor(root: string, data: string, image: ImageArchive) {
    this.#root = root;
    this.#data = data;
    this.#image = image;
  }

  /** @param data a folder that the image's user may write */
  static async create(image: ImageArchive, root: string, data: string): Promise<Container> {
    for (const { file } of image.layers) await runCommand('tar', ['-xf', file, '-C', root]);
    for (const folder of ['data', 'proc', 'dev']) mkdirSync(join(root, folder), { recursive: true });
    return new Container(root, data, image);
  }

  /** What a program of the image prints. @throws Error with its standard error when it fails */
  async run(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const [command, ...rest] = this.#commandLine(args);
    return await runCommand(command, rest, { ...options, env: this.#environment() });
  }

  /** Starts a program with the image's entry point before `args`, see `Program.start`. */
  async start<T>(args: readonly string[], ready: (line: string) => T | undefined) {
    const [command, ...rest] = this.#commandLine([...this.#image.config.Entrypoint, ...args]);
    const name = args.join(' ');
    return await Program.start({ name, command, args: rest, env: this.#environment() }, ready);
  }

  #commandLine(args: readonly string[]): [string, ...string[]] {
    const enter = [
      '--mount',
      '--propagation',
      'private',
      'setpriv',
      '--no-new-privs',
      'sh',
      '-c',
      ENTER,
      'sh',
    ];
    return ['unshare', ...enter, this.#root, this.#data, ...args];
  }

  #environment(): NodeJS.ProcessEnv {
    const { User, Env } = this.#image.config;
    const path = Env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length);
    return { ...process.env, IMAGE_USER: User, IMAGE_PATH: path };
  }
}
