import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import { runCommand } from '@largepayload/tools/run-command';

export interface Certificate {
  /** of the files, before `.crt` and `.key` */
  readonly name: string;
  /** as openssl writes it, e.g. `/O=group/CN=user` */
  readonly subject: string;
  /** of a server, e.g. `IP:127.0.0.1` and `DNS:localhost` */
  readonly addresses?: readonly string[];
  /** by default a key of the curve P-256 */
  readonly keyType?: 'rsa:2048';
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

// With a file of our own, openssl adds no extensions of the system's file.
const CONFIGURATION = `
[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[leaf]
basicConstraints = CA:FALSE
`;

/**
 * Makes a certificate authority, `ca.crt` and `ca.key` in the folder, and the certificates that it signs, for 30 days.
 * @throws MissingProgramError
 */
export async function writeCertificates(folder: string, certificates: readonly Certificate[]): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'openssl.cnf'), CONFIGURATION);
  await writeCertificate(folder, { name: 'ca', subject: '/CN=test authority' }, ['-extensions', 'authority']);
  const authority = ['-CA', join(folder, 'ca.crt'), '-CAkey', join(folder, 'ca.key'), '-extensions', 'leaf'];
  await Promise.all(certificates.map((certificate) => writeCertificate(folder, certificate, authority)));
}

async function writeCertificate(
  folder: string,
  { name, subject, addresses, keyType }: Certificate,
  options: readonly string[],
): Promise<void> {
  const file = (name: string) => join(folder, name);
  await openssl([
    ...['req', '-x509', '-config', file('openssl.cnf'), '-days', '30', '-noenc', '-subj', subject],
    ...['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)],
    ...(keyType === undefined ? CURVE : ['-newkey', keyType]),
    ...options,
    ...(addresses === undefined ? [] : ['-addext', `subjectAltName=${addresses.join(',')}`]),
  ]);
}

async function openssl(args: readonly string[]): Promise<void> {
  await runCommand('openssl', args).catch((error: Error) => {
    if ((error.cause as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new MissingProgramError(
      'openssl 3 is needed to make certificates. Install it so that `openssl version` works (Debian: apt-get install openssl).',
      { cause: error },
    );
  });
}
