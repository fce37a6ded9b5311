import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommand } from '@largepayload/tools/run-command';
import { unpackArchive } from './archive.ts';
import { type ImageBuilder, imageBuilder } from './builders.ts';
import { LOCAL_BASE_DOCKERFILE, LOCAL_BASE_NAME, localBaseRoot } from './local-base.ts';
import { VERSION } from './options.ts';
import { assertBuilt, type ImageName, RECIPES } from './recipes.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface ImageRequest {
  readonly of: ImageName;
  /** its name and tag */
  readonly image: string;
  /** `undefined`: that of the Dockerfile; `local`: see `localBaseRoot` */
  readonly base?: string | undefined;
  /** where a docker-archive is written */
  readonly archive?: string | undefined;
}

export interface BuiltImage {
  readonly builder: string;
  readonly base: string;
  /** bytes of all layers, and of those that are not the base's; not compressed */
  readonly bytes: number;
  readonly ownBytes: number;
  /** digests of those that are not the base's */
  readonly ownLayers: readonly string[];
  readonly archive: string | undefined;
}

/**
 * Builds the image of programs that are built already.
 * @throws MissingProgramError without Docker and buildah
 * @throws Error that tells what to do
 */
export async function buildImage(request: ImageRequest, say: (line: string) => void): Promise<BuiltImage> {
  const recipe = RECIPES[request.of];
  assertBuilt(recipe);
  await using builder = await imageBuilder();
  const folder = await mkdtemp(join(tmpdir(), 'largepayload-image-'));
  try {
    const base = await baseImage(request.base ?? (await defaultBase(recipe.dockerfile)), builder, say);
    const scratch = join(folder, 'context');
    await mkdir(scratch);
    await builder.build({
      dockerfile: recipe.dockerfile,
      context: await recipe.context(scratch),
      name: request.image,
      buildArguments: { BASE_IMAGE: base, VERSION, REVISION: await revision() },
      time: await sourceTime(),
    });
    const archive = request.archive ?? (builder.keepsImages ? undefined : recipe.archive);
    const file = archive ?? join(folder, 'image.tar');
    await mkdir(dirname(file), { recursive: true });
    await builder.save(request.image, file);
    return {
      builder: builder.name,
      base,
      archive,
      ...(await sizes(file, folder, await builder.layers(base))),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function baseImage(base: string, builder: ImageBuilder, say: (line: string) => void): Promise<string> {
  if (base !== 'local') return base;
  await builder.build({
    dockerfile: LOCAL_BASE_DOCKERFILE,
    context: await localBaseRoot(say),
    name: LOCAL_BASE_NAME,
    buildArguments: {},
    time: 0,
  });
  return LOCAL_BASE_NAME;
}

async function defaultBase(dockerfile: string): Promise<string> {
  const [, base] = /^ARG BASE_IMAGE=(.+)$/m.exec(await readFile(dockerfile, 'utf8')) ?? [];
  if (base === undefined) throw new Error(`${dockerfile} names no base image`);
  return base;
}

async function sizes(archive: string, folder: string, baseLayers: readonly string[]) {
  const { layers } = await unpackArchive(archive, folder);
  const total = (of: typeof layers) => of.reduce((sum, { bytes }) => sum + bytes, 0);
  const own = layers.filter(({ diffId }) => !baseLayers.includes(diffId));
  return { bytes: total(layers), ownBytes: total(own), ownLayers: own.map(({ diffId }) => diffId) };
}

/** What the sources are, for the label; programs are built outside a checkout too. */
async function revision(): Promise<string> {
  const describe = ['-C', ROOT, 'describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'];
  return await runCommand('git', describe).then(
    (text) => text.trim(),
    () => 'unknown',
  );
}

/** The last commit's, so that the same sources make the same image. */
async function sourceTime(): Promise<number> {
  const given = process.env.SOURCE_DATE_EPOCH;
  return Number(
    given ?? (await runCommand('git', ['-C', ROOT, 'log', '-1', '--format=%ct']).catch(() => '0')),
  );
}
