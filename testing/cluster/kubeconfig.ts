import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Writes `USER.conf` beside the certificates of `writeCertificates`, for clients that use the certificate of that name.
 * @param server URL of the API server @returns the file's path
 */
export async function writeKubeconfig(folder: string, user: string, server: string): Promise<string> {
  const data = async (name: string) => (await readFile(join(folder, name))).toString('base64');
  const cluster = { server, 'certificate-authority-data': await data('ca.crt') };
  const credentials = {
    'client-certificate-data': await data(`${user}.crt`),
    'client-key-data': await data(`${user}.key`),
  };
  const path = join(folder, `${user}.conf`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    'current-context': 'test',
  };
  // JSON is YAML.
  await writeFile(path, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return path;
}
