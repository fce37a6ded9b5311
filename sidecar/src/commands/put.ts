import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { encodeReference, metadataFromRecord } from '@largepayload/codec';
import { type Command, stringOption, type Values } from '../cli/command.ts';
import { UsageError } from '../cli/exit-codes.ts';
import { humanBytes } from '../cli/human.ts';
import { blobClientOf, SERVICE_OPTIONS } from '../cli/service-url.ts';

export const command: Command = {
  name: 'put',
  summary: 'Stores a file as a payload and prints its reference.',
  positional: 'FILE',
  options: {
    namespace: {
      placeholder: 'NS',
      help: 'Temporal namespace of the payload',
      required: true,
    },
    encoding: {
      placeholder: 'TEXT',
      help: 'the payload\'s metadata "encoding", which tells Temporal\'s converters what it is',
      default: 'binary/plain',
    },
    ...SERVICE_OPTIONS,
    json: { help: 'print the reference only, also on a terminal' },
  },
  notes: 'The reference is one line of JSON, {"metadata":…,"size":…,"digest":…,"key":…}, which `get` takes.',
  run,
};

async function run(values: Values, file: string): Promise<void> {
  const size = await sizeOf(file);
  const digest = await digestOfFile(file);
  const metadata = metadataFromRecord({ encoding: Buffer.from(stringOption(command, values, 'encoding')) });
  const client = blobClientOf(values);
  try {
    const started = performance.now();
    const namespace = String(values.namespace);
    const body = () => createReadStream(file);
    const { key, created } = await client.put({ namespace, digest, size, metadata, body });
    if (process.stdout.isTTY && values.json !== true) {
      const seconds = ((performance.now() - started) / 1_000).toFixed(2);
      const done = created ? 'stored' : 'was there already';
      process.stdout.write(`${basename(file)}: ${humanBytes(size)} ${done}, ${seconds} s\nreference:\n`);
    }
    const { data } = encodeReference({ version: 'v2', metadata, size, digest, key });
    process.stdout.write(`${Buffer.from(data ?? []).toString()}\n`);
  } finally {
    client.close();
  }
}

/** @throws UsageError */
async function sizeOf(file: string): Promise<number> {
  const status = await stat(file).catch((error) =>
    Promise.reject(new UsageError(`cannot read ${file}: ${error.message}`)),
  );
  if (status.isFile()) return status.size;
  throw new UsageError(`${file} is not a regular file; a payload's size must be known beforehand`);
}

async function digestOfFile(file: string): Promise<string> {
  const running = createHash('sha256');
  await pipeline(createReadStream(file), running);
  return `sha256:${running.digest('hex')}`;
}
