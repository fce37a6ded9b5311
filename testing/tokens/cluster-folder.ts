import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a gateway gets as `--kubernetes-dir`. @param authority PEM; not needed for an API server on plain HTTP */
export async function writeClusterFolder(folder: string, token = 'a-token', authority = ''): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'token'), token);
  await writeFile(join(folder, 'ca.crt'), authority);
  return folder;
}
