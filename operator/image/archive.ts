import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '@largepayload/tools/run-command';

interface ManifestEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

export interface ImageConfig {
  readonly User: string;
  readonly WorkingDir: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

/** A docker-archive, unpacked. */
export interface ImageArchive {
  readonly names: readonly string[];
  readonly config: ImageConfig;
  /** tar files, the lowest first */
  readonly layers: readonly { readonly file: string; readonly diffId: string; readonly bytes: number }[];
}

/** Unpacks a docker-archive into a folder that is there. */
export async function unpackArchive(archive: string, folder: string): Promise<ImageArchive> {
  await runCommand('tar', ['-xf', archive, '-C', folder]);
  const json = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'));
  const [entry] = (await json('manifest.json')) as ManifestEntry[];
  if (entry === undefined) throw new Error('the archive holds no image');
  const { config, rootfs } = (await json(entry.Config)) as {
    config: ImageConfig;
    rootfs: { diff_ids: string[] };
  };
  const layers = entry.Layers.map(async (name, index) => {
    const file = join(folder, name);
    return { file, diffId: rootfs.diff_ids[index] as string, bytes: (await stat(file)).size };
  });
  return { names: entry.RepoTags ?? [], config, layers: await Promise.all(layers) };
}
