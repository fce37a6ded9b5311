import { readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** ms for which the files are not looked at again */
const LOOK_LIFETIME = 1_000;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** makes the SDK ask again */
  readonly expiration: Date;
}

/** The folder lacks a file. Its name makes the SDK's errors and this one look alike. */
class CredentialsProviderError extends Error {
  override readonly name = 'CredentialsProviderError';
}

/**
 * Credentials from files named as the SDK's environment variables, as a Secret is mounted. They are read again when they
 * are needed and were not looked at for a second, so that a rotation needs no restart.
 */
export function credentialsFromFolder(folder: string): () => Promise<Credentials> {
  let last: Promise<Credentials> | undefined;
  let lookedAt = 0;
  return () => {
    if (last === undefined || performance.now() - lookedAt >= LOOK_LIFETIME) {
      lookedAt = performance.now();
      last = read(folder);
      last.catch(() => {
        last = undefined;
      });
    }
    return last;
  };
}

async function read(folder: string): Promise<Credentials> {
  const idFile = join(folder, 'AWS_ACCESS_KEY_ID');
  const target = await realpath(idFile).catch((error) => Promise.reject(missing(idFile, error)));
  // Kubernetes swaps a link to a folder: files of that one folder belong together, whatever is swapped meanwhile.
  const at = dirname(target);
  const [accessKeyId, secretAccessKey, sessionToken] = await Promise.all([
    readText(join(at, 'AWS_ACCESS_KEY_ID')),
    readText(join(at, 'AWS_SECRET_ACCESS_KEY')),
    readText(join(at, 'AWS_SESSION_TOKEN')).catch(() => undefined),
  ]);
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    expiration: new Date(Date.now() + LOOK_LIFETIME),
  };
}

async function readText(file: string): Promise<string> {
  const text = (await readFile(file, 'utf8').catch((error) => Promise.reject(missing(file, error)))).trim();
  if (text === '') throw missing(file, new Error('it is empty'));
  return text;
}

function missing(file: string, cause: Error): Error {
  return new CredentialsProviderError(`cannot read the credentials file ${file}: ${cause.message}`);
}
