import { constants, promises } from 'node:fs';

/**
 * The text of a regular file. It is opened without waiting: else a pipe without a writer would hold one of Node's four threads
 * for files without end.
 * @throws Error that says why the file cannot be read
 */
export async function readSmallFile(path: string, mostBytes: number): Promise<string> {
  const handle = await promises.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new Error('it is no regular file');
    const bytes = Buffer.allocUnsafe(mostBytes + 1);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    if (bytesRead > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
