import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const codec = join(import.meta.dirname, '..');
const nodeModules = join(codec, '../node_modules');

/** The package as npm packs it, installed into an application's folder. Gone at the end of an `await using` scope. */
export interface PackedPackage extends AsyncDisposable {
  /** Names in the tarball, e.g. `dist/index.js`. */
  readonly files: readonly string[];
  /** The package unpacked. */
  readonly folder: string;
  /** Where a program resolves `@largepayload/codec` to it, and Temporal's packages and types to the repository's. */
  readonly application: string;
}

export async function packedPackage(): Promise<PackedPackage> {
  const root = await mkdtemp(join(tmpdir(), 'codec-package-test-'));
  const remove = () => rm(root, { recursive: true, force: true });
  try {
    const { files, tarball } = await pack(join(root, 'stage'));
    const application = join(root, 'application');
    const folder = await install(tarball, application);
    return { files, folder, application, [Symbol.asyncDispose]: remove };
  } catch (failure) {
    await remove();
    throw failure;
  }
}

async function pack(stage: string): Promise<{ files: string[]; tarball: string }> {
  // The folder as it is in the repository, sources and tests too, so that what is packed is what is chosen from it.
  await cp(codec, stage, { recursive: true, filter: (path) => !/\/(dist|node_modules)$/.test(path) });
  await run(process.execPath, [join(codec, 'build.ts'), join(stage, 'dist')]);
  const options = ['--json', '--offline', '--no-update-notifier', '--ignore-scripts'];
  const { stdout } = await run('npm', ['pack', ...options], { cwd: stage });
  const [{ files, filename }] = JSON.parse(stdout);
  return { files: files.map(({ path }: { path: string }) => path), tarball: join(stage, filename) };
}

/** Nothing is fetched: the types that the package's refer to are the repository's. */
async function install(tarball: string, application: string): Promise<string> {
  const folder = join(application, 'node_modules/@largepayload/codec');
  await mkdir(folder, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  for (const name of ['@temporalio', '@types']) {
    await symlink(join(nodeModules, name), join(application, 'node_modules', name));
  }
  return folder;
}

export interface CompilerOptions {
  readonly module: string;
  readonly moduleResolution: string;
  /** Whether declarations of all packages are checked, ours and Temporal's too. It takes four times as long. */
  readonly skipLibCheck: boolean;
}

/**
 * Compiles programs of `programs/` in a folder below `application`, and resolves with the folder of the JavaScript.
 * @param type of the package.json that the programs are part of
 * @throws Error whose `stdout` has tsc's diagnostics
 */
export async function compile(
  { application }: PackedPackage,
  programs: readonly string[],
  type: 'module' | 'commonjs',
  options: CompilerOptions,
): Promise<string> {
  const folder = await mkdtemp(join(application, 'programs-'));
  for (const program of programs)
    await cp(join(import.meta.dirname, 'programs', program), join(folder, program));
  // Temporal's declarations import it, and its own cannot be found through its exports.
  await writeFile(join(folder, 'ms.d.ts'), "declare module 'ms' { export type StringValue = string; }");
  const compilerOptions = {
    ...{ target: 'es2022', lib: ['es2022'], types: ['node'], strict: true, exactOptionalPropertyTypes: true },
    ...{ rootDir: '.', outDir: 'out', ...options },
  };
  const files = ['ms.d.ts', ...programs];
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type }));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  await run(process.execPath, [join(nodeModules, 'typescript/bin/tsc'), '-p', folder]);
  return join(folder, 'out');
}
