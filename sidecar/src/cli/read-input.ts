import { createReadStream } from 'node:fs';
import { UsageError } from './exit-codes.ts';

/**
 * The whole text of a file, or of standard input.
 * @param file `-`: standard input
 * @param limit bytes
 * @throws UsageError when it cannot be read, is larger or is no UTF-8
 */
export async function readInput(file: string, limit: number): Promise<string> {
  const name = file === '-' ? 'standard input' : file;
  const stream = file === '-' ? process.stdin : createReadStream(file);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > limit) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new UsageError(`cannot read ${name}: ${(error as Error).message}`);
  }
  if (size > limit) throw new UsageError(`${name} is larger than ${limit / 2 ** 20} MiB`);
  try {
    // A byte order mark stays, as the text may be written again.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new UsageError(`${name} is not text in UTF-8`);
  }
}
