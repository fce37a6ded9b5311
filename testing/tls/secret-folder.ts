import { mkdir, mkdtemp, rename, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { TestCertificate } from './test-authority.ts';

/**
 * Puts files into a folder as a kubelet mounts a Secret: the files are links through `..data`, which is swapped at once. Files of
 * an earlier call are exchanged.
 */
export async function writeSecret(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const version = await mkdtemp(join(folder, '..version-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(version, name), text);
  const swap = join(folder, '..data_tmp');
  await symlink(basename(version), swap);
  await rename(swap, join(folder, '..data'));
  for (const name of Object.keys(files)) {
    await symlink(join('..data', name), join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** The Secret of a server, as the operator makes it. */
export function writeCertificateSecret(folder: string, pair: TestCertificate): Promise<void> {
  return writeSecret(folder, { 'tls.crt': pair.certificate, 'tls.key': pair.key });
}
