import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommand } from '@largepayload/tools/run-command';

export interface SmallImage {
  /** Names of the image in the archive, each with a tag. */
  readonly names: readonly string[];
  /** Files by their path in the image: a path of this machine, or `-> TARGET` for a symbolic link. */
  readonly files: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  /** `NAME=VALUE`, beside PATH */
  readonly environment?: readonly string[];
}

/** Writes the docker-archive of an image of one layer, built from nothing. */
export async function writeImageArchive(image: SmallImage, archive: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'image-'));
  try {
    await writeLayer(image, work);
    const layer = readFileSync(join(work, 'layer.tar'));
    const config = JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Entrypoint: image.entrypoint, Env: ['PATH=/bin', ...(image.environment ?? [])] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    });
    const configFile = `${sha256(config)}.json`;
    const manifest = [{ Config: configFile, RepoTags: image.names, Layers: ['layer.tar'] }];
    writeFileSync(join(work, configFile), config);
    writeFileSync(join(work, 'manifest.json'), JSON.stringify(manifest));
    await tar(archive, work, configFile, 'manifest.json', 'layer.tar');
  } finally {
    rmSync(work, { recursive: true });
  }
}

async function writeLayer({ files }: SmallImage, work: string): Promise<void> {
  const root = join(work, 'root');
  for (const [path, source] of Object.entries(files)) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    if (source.startsWith('-> ')) symlinkSync(source.slice(3), target);
    else cpSync(source, target);
  }
  await tar(join(work, 'layer.tar'), root, '.');
}

async function tar(file: string, folder: string, ...members: string[]): Promise<void> {
  const always = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  await runCommand('tar', ['--create', '--file', file, '--directory', folder, ...always, ...members]);
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
