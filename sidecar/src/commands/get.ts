import { createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type BlobReferenceV2, decodeReference, PayloadReferenceError } from '@largepayload/codec';
import type { Command, Values } from '../cli/command.ts';
import { UsageError } from '../cli/exit-codes.ts';
import { humanBytes } from '../cli/human.ts';
import { blobClientOf, SERVICE_OPTIONS } from '../cli/service-url.ts';

export const command: Command = {
  name: 'get',
  summary: 'Fetches the payload of a reference and verifies it.',
  positional: 'REFERENCE',
  options: {
    output: {
      placeholder: 'FILE',
      help: 'write the payload to FILE instead of standard output',
    },
    ...SERVICE_OPTIONS,
  },
  notes: `REFERENCE is a file that holds what \`put\` printed, or - for standard input.
With --output, FILE appears only when the whole payload was verified. On standard output the bytes pass as they come:
use them only when the exit code is 0.`,
  run,
};

async function run(values: Values, source: string): Promise<void> {
  const reference = parseReference(await readReference(source));
  const client = blobClientOf(values);
  try {
    const stream = await client.getStream(reference);
    if (typeof values.output !== 'string') {
      await pipeline(stream, process.stdout, { end: false });
      return;
    }
    await writeWhole(stream, values.output);
    process.stderr.write(`${values.output}: ${humanBytes(reference.size)}, digest verified\n`);
  } finally {
    client.close();
  }
}

async function readReference(source: string): Promise<string> {
  if (source === '-') return await text(process.stdin);
  return await readFile(source, 'utf8').catch((error) =>
    Promise.reject(new UsageError(`cannot read ${source}: ${error.message}`)),
  );
}

function parseReference(json: string): BlobReferenceV2 {
  const metadata = { encoding: Buffer.from('json/plain'), 'temporal.io/remote-codec': Buffer.from('v2') };
  const reference = decodeReference({ metadata, data: Buffer.from(json) });
  if (reference.version === 'v2') return reference;
  throw new PayloadReferenceError('only references of version 2 can be fetched');
}

async function writeWhole(stream: NodeJS.ReadableStream, file: string): Promise<void> {
  const partial = `${file}.partial-${process.pid}`;
  try {
    await pipeline(stream, createWriteStream(partial, { flags: 'wx' }));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    const { code, path } = error as NodeJS.ErrnoException;
    if (path === partial && (code === 'ENOENT' || code === 'ENOTDIR'))
      throw new Error(`cannot write ${file}: there is no folder ${dirname(file)}`, { cause: error });
    throw error;
  }
}
