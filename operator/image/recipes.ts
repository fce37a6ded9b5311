import { existsSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '@largepayload/tools/run-command';
import { copyInstalledPackages } from './installed-packages.ts';

const ROOT = join(import.meta.dirname, '../..');
const DIST = join(import.meta.dirname, '../dist');
const EXAMPLE = join(ROOT, 'examples/typescript-worker');
const EXAMPLE_PACKAGES = ['client', 'worker', 'workflow'].map((name) => `@temporalio/${name}`);
/** Of each file, what Node on Linux loads: Temporal's core is a library of 30 MB for each of five platforms. */
const NATIVE = `releases/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-gnu`;

/** What an image is built of. */
export interface ImageRecipe {
  /** without a tag */
  readonly image: string;
  readonly dockerfile: string;
  /** Programs that have to be built before. */
  readonly programs: readonly string[];
  /** Where a builder puts the image that does not keep images itself. */
  readonly archive: string;
  /** Makes the folder that COPY reads. @param scratch an empty folder */
  context(scratch: string): Promise<string>;
}

export const RECIPES = {
  service: {
    image: 'largepayload/payload-store',
    dockerfile: join(ROOT, 'operator/Dockerfile'),
    programs: ['sidecar/dist/payload-store.mjs', 'operator/dist/operator.mjs'],
    archive: join(DIST, 'image.tar'),
    context: async () => ROOT,
  },
  example: {
    image: 'largepayload/example-worker',
    dockerfile: join(EXAMPLE, 'Dockerfile'),
    programs: ['codec/dist/index.js'],
    archive: join(DIST, 'example-image.tar'),
    context: exampleContext,
  },
} as const satisfies Record<string, ImageRecipe>;

export type ImageName = keyof typeof RECIPES;

/** @throws Error that says what to build */
export function assertBuilt({ programs }: ImageRecipe): void {
  const unbuilt = programs.filter((file) => !existsSync(join(ROOT, file)));
  if (unbuilt.length > 0) throw new Error(`${unbuilt.join(' and ')} must be built first: make build`);
}

async function exampleContext(scratch: string): Promise<string> {
  const app = join(scratch, 'app');
  await mkdir(app);
  await cp(EXAMPLE, app, { recursive: true, filter: (path) => path === EXAMPLE || path.endsWith('.ts') });
  await writeFile(join(app, 'package.json'), '{ "type": "module" }\n');
  const isForeign = (path: string) => /^releases\/./.test(path) && !path.startsWith(NATIVE);
  const bundling = [join(EXAMPLE, 'bundle-workflows.ts'), join(app, 'workflow-bundle.js')];
  await runCommand(process.execPath, bundling, { limitMs: 600_000 });
  await copyInstalledPackages(['@largepayload/codec', ...EXAMPLE_PACKAGES], ROOT, app, isForeign);
  return scratch;
}
