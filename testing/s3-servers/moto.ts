import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, makeInCache } from '@largepayload/tools/cache-folder';
import { freePorts } from '../processes/free-port.ts';
import { python } from '../programs/python.ts';
import { type S3Server, startServer } from './s3-server.ts';

const PACKAGE = 'moto[server]==5.2.5';

/**
 * The folder of moto's Python packages, fetched from PyPI unless the cache has them.
 * @param say told about progress, a line at a time
 * @throws MissingProgramError without Python and pip
 */
export async function motoPackages(say: (line: string) => void): Promise<string> {
  const [, version = ''] = (await python('moto', '--version')).trim().split(' ');
  const folder = join(cacheFolder(), `moto-5.2.5-python${version}-${process.platform}-${process.arch}`);
  if (existsSync(folder)) return folder;
  say(`fetching ${PACKAGE} from PyPI into the cache, once; half a minute`);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target'];
  await makeInCache(folder, async (unfinished) => {
    await python('moto', ...install, unfinished, PACKAGE);
  });
  return folder;
}

/** moto, which keeps objects in memory and checks no credentials. @throws MissingProgramError */
export async function startMoto(): Promise<S3Server> {
  const packages = await motoPackages((line) => console.info(line));
  const [port] = await freePorts(1);
  return await startServer({
    name: 'moto',
    endpoint: `http://127.0.0.1:${port}`,
    command: 'python3',
    args: () => ['-m', 'moto.server', '-H', '127.0.0.1', '-p', `${port}`],
    env: { PYTHONPATH: packages },
  });
}
