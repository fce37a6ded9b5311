import { StorageError } from '../../errors/storage-error.ts';

export const NO_SPACE: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

const NO_LINKS =
  'operation not permitted; the folder must be on a filesystem with hard links that this user may write';

const HINTS: Record<string, string> = {
  EACCES: 'permission denied; give the service read and write access to the folder',
  EPERM: NO_LINKS,
  ENOTSUP: NO_LINKS,
  EOPNOTSUPP: NO_LINKS,
  EROFS: 'the filesystem is mounted read-only',
  ENOTDIR: 'not a folder',
  EEXIST: 'it is a file, not a folder',
  ENOENT: 'no such folder',
  ENOSPC: 'no space left',
  EDQUOT: 'disk quota exceeded',
  EMFILE: 'too many open files; raise the limit (ulimit -n)',
  EIO: 'the disk reports an input/output error',
};

export function errorCode(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** An error of a file operation in the contract's terms; any other error as it is. */
export function toStorageError(error: unknown, doing: string): unknown {
  const code = errorCode(error);
  if (code === undefined) return error;
  const failure = NO_SPACE.includes(code) ? 'full' : 'unavailable';
  return new StorageError(failure, `cannot ${doing}: ${HINTS[code] ?? code}`, { cause: error });
}

/** Runs a file operation, its failures in the contract's terms. */
export async function fileOperation<T>(doing: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw toStorageError(error, doing);
  }
}

/** Runs a file operation; `undefined` when it fails with one of the given codes. */
export async function unless<T>(codes: readonly string[], operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (codes.includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}
