import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readSmallFile } from '@largepayload/codec/files/small-file';
import { BAD_CHARACTER, type Credentials, CredentialsError, isPossible } from './credentials-source.ts';

/** For this time the files are not read again. */
const LOOK_LIFETIME_MS = 1_000;
/** Bytes. A session token has up to 2 KiB or so. */
const LARGEST_FILE = 64 * 1024;

/**
 * Credentials from files named as the SDK's environment variables, as a Secret is mounted. They are read again when they
 * are needed and were not looked at for a second, so that a rotation needs no restart.
 * @throws CredentialsError that names the file
 */
export function credentialsFromFolder(folder: string): () => Promise<Credentials> {
  let last: Promise<Credentials> | undefined;
  let lookedAt = 0;
  return () => {
    if (last === undefined || performance.now() - lookedAt >= LOOK_LIFETIME_MS) {
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
  // Kubernetes changes a Secret by swapping a link to a folder. Read all files from the folder that the link names now.
  const at = dirname(target);
  const [accessKeyId, secretAccessKey, sessionToken] = await Promise.all([
    readText(join(at, 'AWS_ACCESS_KEY_ID')),
    readText(join(at, 'AWS_SECRET_ACCESS_KEY')),
    sessionTokenOf(join(at, 'AWS_SESSION_TOKEN')),
  ]);
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** Permanent keys have no token: the file is missing or empty. */
async function sessionTokenOf(file: string): Promise<string | undefined> {
  const isThere = (await readSmallFile(file, LARGEST_FILE).catch(() => '')).trim() !== '';
  return isThere ? await readText(file) : undefined;
}

async function readText(file: string): Promise<string> {
  const text = (
    await readSmallFile(file, LARGEST_FILE).catch((error) => Promise.reject(missing(file, error)))
  ).trim();
  if (text === '') throw missing(file, new Error('it is empty'));
  if (!isPossible(basename(file), text)) {
    const mistake =
      'has a line break, a space or another character that no key has; write the key alone into it';
    throw failure(file, BAD_CHARACTER, `the credentials file ${file} ${mistake}`);
  }
  return text;
}

function missing(file: string, cause: NodeJS.ErrnoException): CredentialsError {
  return failure(file, cause.code ?? '', `cannot read the credentials file ${file}: ${cause.message}`);
}

function failure(file: string, code: string, message: string): CredentialsError {
  return new CredentialsError(
    { kind: 'folder', name: file, gaveBefore: false },
    { status: undefined, code, message },
  );
}
