import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, makeInCache } from '@largepayload/tools/cache-folder';
import { inPath } from '@largepayload/tools/debian-packages';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import { runCommand } from '@largepayload/tools/run-command';

/** What Node's own binary is linked with, and the certificates that other programs' libraries look for. */
const PACKAGES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'ca-certificates'];
const LEFT_OUT = ['doc', 'man', 'locale', 'lintian'];
const PASSWD =
  'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n';
const GROUP = 'root:x:0:\nnonroot:x:65532:\n';

export const LOCAL_BASE_DOCKERFILE = join(import.meta.dirname, 'local-base.Dockerfile');
export const LOCAL_BASE_NAME = `localhost/largepayload-node:${process.versions.node}`;

/**
 * A folder that is the root of an image with Node: this process's own, on the libraries of this Debian. It is for
 * machines that reach no registry of images. Made unless the cache has it.
 * @throws MissingProgramError where there is no Debian
 */
export async function localBaseRoot(say: (line: string) => void): Promise<string> {
  const recipe = createHash('sha256').update(await readFile(import.meta.filename));
  const version = `${process.versions.node}-${process.arch}-${recipe.digest('hex').slice(0, 10)}`;
  const folder = join(cacheFolder(), `node-base-${version}`);
  if (!existsSync(folder)) {
    say(`making a base image of Node ${process.versions.node} and the packages of this system, once`);
    await makeInCache(folder, fill);
  }
  return folder;
}

async function fill(root: string): Promise<void> {
  await chmod(root, 0o755);
  await unpackPackages(root);
  await mergeUsr(root);
  await Promise.all(
    LEFT_OUT.map((name) => rm(join(root, 'usr/share', name), { recursive: true, force: true })),
  );
  await bundleCertificates(root);
  for (const folder of ['nodejs/bin', 'home/nonroot']) await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, 'etc/passwd'), PASSWD);
  await writeFile(join(root, 'etc/group'), GROUP);
  await copyFile(process.execPath, join(root, 'nodejs/bin/node'));
  await chmod(join(root, 'nodejs/bin/node'), 0o755);
  await assertNodeStarts(root);
}

async function unpackPackages(root: string): Promise<void> {
  if (inPath('apt-get') === undefined || inPath('dpkg-deb') === undefined) {
    throw new MissingProgramError(
      '`--base local` takes libraries from the packages of Debian, and apt-get or dpkg-deb is missing. ' +
        'Run it on Debian or Ubuntu, or name a base image with Node 24 by --base IMAGE.',
    );
  }
  const downloads = await mkdtemp(join(tmpdir(), 'largepayload-packages-'));
  try {
    await download(downloads);
    for (const file of await readdir(downloads))
      await runCommand('dpkg-deb', ['-x', join(downloads, file), root]);
  } finally {
    await rm(downloads, { recursive: true, force: true });
  }
}

async function download(folder: string): Promise<void> {
  // apt would use a user of its own, which may not write here.
  const args = ['-o', 'APT::Sandbox::User=', 'download', ...PACKAGES];
  await runCommand('apt-get', args, { cwd: folder }).catch(async () => {
    await runCommand('apt-get', ['update']);
    await runCommand('apt-get', args, { cwd: folder });
  });
}

/** From Debian 13 on, the packages have everything in /usr; the loader's path is /lib or /lib64 still. */
async function mergeUsr(root: string): Promise<void> {
  for (const name of ['lib', 'lib64']) {
    if (!existsSync(join(root, name)) && existsSync(join(root, 'usr', name))) {
      await symlink(`usr/${name}`, join(root, name));
    }
  }
}

/** What the package's own script would do. */
async function bundleCertificates(root: string): Promise<void> {
  const folder = join(root, 'usr/share/ca-certificates/mozilla');
  const texts = (await readdir(folder)).sort().map((file) => readFile(join(folder, file), 'utf8'));
  await mkdir(join(root, 'etc/ssl/certs'), { recursive: true });
  await writeFile(join(root, 'etc/ssl/certs/ca-certificates.crt'), (await Promise.all(texts)).join(''));
}

/** Distributions link Node with libraries of their own, which are not in these packages. */
async function assertNodeStarts(root: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  await runCommand('chroot', [root, '/nodejs/bin/node', '--version']).catch((cause: Error) => {
    throw new Error(
      `${process.execPath} does not start on the packages ${PACKAGES.join(', ')} alone: ${cause.message}\n` +
        "Use Node's own build (https://nodejs.org, or `make setup`), or name a base image by --base IMAGE.",
      { cause },
    );
  });
}
