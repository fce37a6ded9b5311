import { join } from 'node:path';

const DIGEST = 'sha256:[0-9a-f]{64}';
const NAME_OF_PAYLOAD = new RegExp(`(${DIGEST})/(${DIGEST})$`);
const FILE_OF_PAYLOAD = new RegExp(`(${DIGEST})\\.(${DIGEST})$`);

/**
 * Where an object lies: at its name below the root, but for the last two segments of a payload's name, `DIGEST/METADATAHASH`,
 * which make one file name `DIGEST.METADATAHASH`. A folder for each payload would have to be made, fsynced and removed
 * with it.
 * @throws Error for a name that would leave the root or is another object's path; the grammar of keys lets none through
 */
export function objectPath(root: string, name: string): string {
  const segments = name.replace(/^\//, '').split('/');
  if (segments.some(isNoFileName) || FILE_OF_PAYLOAD.test(name)) {
    throw new Error(`not an object name: ${JSON.stringify(name)}`);
  }
  return join(root, ...segments).replace(NAME_OF_PAYLOAD, '$1.$2');
}

/** The last segments of the name of the object in a file with this name. */
export function objectNameOfFile(fileName: string): string {
  return fileName.replace(FILE_OF_PAYLOAD, '$1/$2');
}

function isNoFileName(segment: string): boolean {
  return segment === '' || segment === '.' || segment === '..' || segment.includes('\0');
}
