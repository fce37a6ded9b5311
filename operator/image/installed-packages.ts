import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

interface PackageFile {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * Copies installed packages, and all that they depend on, into the `node_modules` of another folder. So an image has the versions of
 * the lockfile, and no registry is needed. Optional packages that are not installed are left out.
 * @param root folder whose `node_modules` has them
 * @param leaveOut whether a file or folder of a package is not copied
 */
export async function copyInstalledPackages(
  names: readonly string[],
  root: string,
  target: string,
  leaveOut: (path: string) => boolean,
): Promise<void> {
  for (const folder of installedPackages(names, root)) {
    // The packages below a package are copied by themselves, where something depends on them. A workspace is a link.
    const source = realpathSync(folder);
    const isOwn = (path: string) =>
      path === source || (basename(path) !== 'node_modules' && !leaveOut(relative(source, path)));
    await cp(source, join(target, relative(root, folder)), { recursive: true, filter: isOwn });
  }
}

/** Folders of the packages and of all that they depend on. */
function installedPackages(names: readonly string[], root: string): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (name: string, from: string) => {
    const folder = installedAt(name, from, root);
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    ) as PackageFile;
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies }))
      add(dependency, folder);
  };
  for (const name of names) add(name, root);
  return found;
}

/** Node's rule: the nearest `node_modules` above the package that asks. */
function installedAt(name: string, from: string, root: string): string | undefined {
  const folder = join(from, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  return from === root ? undefined : installedAt(name, dirname(from), root);
}
