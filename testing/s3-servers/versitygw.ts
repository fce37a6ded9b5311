import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCertificates } from '../cluster/certificates.ts';
import { freePorts } from '../processes/free-port.ts';
import { type GoProgram, goProgram } from '../programs/go-program.ts';
import { ACCESS_KEY, type S3Server, SECRET_KEY, type ServerCommand, startServer } from './s3-server.ts';

export const VERSITYGW: GoProgram = {
  package: 'github.com/versity/versitygw/cmd/versitygw',
  version: 'v1.8.0',
};

/**
 * The Versity S3 gateway on a folder, with accounts, bucket policies and versions. @throws MissingProgramError without Go
 * @param more further options, e.g. `--keep-alive`: by default each answer ends its connection, unlike S3
 */
export async function startVersitygw(...more: readonly string[]): Promise<S3Server> {
  return await start('127.0.0.1', more);
}

/** versitygw behind TLS, on loopback. @throws MissingProgramError without Go or openssl */
export async function startVersitygwOverTls(...more: readonly string[]): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), 'versitygw-certificates-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const certificate = { name: 'server', subject: '/CN=versitygw', addresses: ['IP:127.0.0.1'] };
    await writeCertificates(folder, [certificate]);
    const keys = ['--cert', join(folder, 'server.crt'), '--key', join(folder, 'server.key')];
    return await start('127.0.0.1', [...keys, ...more], {
      authorityFile: join(folder, 'ca.crt'),
      cleanUp: remove,
    });
  } catch (error) {
    remove();
    throw error;
  }
}

/** versitygw on an address of this machine that pods of a test's cluster can reach. */
export async function startVersitygwAt(host: string, ...more: readonly string[]): Promise<S3Server> {
  return await start(host, more);
}

async function start(
  host: string,
  more: readonly string[],
  tls: Pick<ServerCommand, 'authorityFile' | 'cleanUp'> = {},
): Promise<S3Server> {
  const command = await goProgram(VERSITYGW, (line) => console.info(line));
  const [port] = await freePorts(1);
  return await startServer({
    name: 'versitygw',
    endpoint: `${tls.authorityFile === undefined ? 'http' : 'https'}://${host}:${port}`,
    ...tls,
    command,
    args: (folder) => {
      const [data, accounts, versions] = ['data', 'accounts', 'versions'].map((part) => join(folder, part));
      for (const part of [data, accounts, versions]) mkdirSync(part ?? '');
      const options = ['--quiet', '--port', `${host}:${port}`, '--iam-dir', accounts ?? '', ...more];
      return [...options, 'posix', '--versioning-dir', versions ?? '', data ?? ''];
    },
    env: { ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
  });
}
