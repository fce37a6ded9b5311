import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MissingProgramError } from '@largepayload/tools/missing-program';

const run = promisify(execFile);

export interface Certificate {
  /** of the files, before `.crt` and `.key` */
  readonly name: string;
  /** as openssl writes it, e.g. `/O=group/CN=user` */
  readonly subject: string;
  /** of a server, e.g. `IP:127.0.0.1,DNS:localhost` */
  readonly addresses?: string;
}

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

/** Makes a certificate authority, `ca.crt` and `ca.key`, and what it signs, for a day. @throws MissingProgramError */
export async function writeCertificates(folder: string, certificates: readonly Certificate[]): Promise<void> {
  const configuration = join(folder, 'openssl.cnf');
  await writeFile(configuration, CONFIGURATION);
  const files = (name: string) => [
    '-keyout',
    join(folder, `${name}.key`),
    '-out',
    join(folder, `${name}.crt`),
  ];
  const make = (name: string, subject: string, rest: readonly string[]) =>
    openssl([
      ...['req', '-x509', '-config', configuration, '-days', '1', '-noenc'],
      ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-subj', subject, ...files(name), ...rest],
    ]);
  await make('ca', '/CN=test authority', ['-extensions', 'authority']);
  const authority = ['-CA', join(folder, 'ca.crt'), '-CAkey', join(folder, 'ca.key'), '-extensions', 'leaf'];
  for (const { name, subject, addresses } of certificates) {
    const names = addresses === undefined ? [] : ['-addext', `subjectAltName=${addresses}`];
    await make(name, subject, [...authority, ...names]);
  }
}

async function openssl(args: readonly string[]): Promise<void> {
  await run('openssl', args).catch((cause: Error) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new MissingProgramError(
      'openssl 3 is needed to make certificates. Install it so that `openssl version` works (Debian: apt-get install openssl).',
      { cause },
    );
  });
}
