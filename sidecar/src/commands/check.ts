import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { metadataFromRecord, PayloadStoreUnavailableError } from '@largepayload/codec';
import { parseQuantity } from '@largepayload/crds/quantity';
import { type Command, stringOption, usage, type Values } from '../cli/command.ts';
import { humanBytes } from '../cli/human.ts';
import { blobClientOf, SERVICE_OPTIONS } from '../cli/service-url.ts';

const CHUNK_BYTES = 64 * 1024;
/** for which a store that cannot be reached is tried again */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 500;

export const command: Command = {
  name: 'check',
  summary: 'Stores a payload of random bytes, fetches it again and verifies it.',
  options: {
    size: { placeholder: 'SIZE', help: 'bytes, or a quantity such as 5M', default: '5M' },
    namespace: {
      placeholder: 'NS',
      help: 'Temporal namespace of the payload',
      default: 'default',
    },
    ...SERVICE_OPTIONS,
  },
  notes:
    'A store that cannot be reached is tried for 5 s. The payload goes when its TTL is over. In a pod this tells whether the pod can use its store, and how fast.',
  run,
};

async function run(values: Values): Promise<void> {
  const size = usage(() => parseQuantity(stringOption(command, values, 'size')), '--size');
  const seed = randomBytes(32);
  const digest = digestOf(randomContent(seed, size));
  const client = blobClientOf(values);
  try {
    const started = performance.now();
    const { key } = await patiently(() =>
      client.put({
        namespace: stringOption(command, values, 'namespace'),
        digest,
        size,
        metadata: metadataFromRecord({ encoding: Buffer.from('binary/plain') }),
        body: () => Readable.from(randomContent(seed, size)),
      }),
    );
    const stored = performance.now();
    await patiently(async () => {
      for await (const _chunk of await client.getStream({ key, size, digest }));
    });
    const seconds = (from: number, to: number) => ((to - from) / 1_000).toFixed(2);
    process.stdout.write(
      `${humanBytes(size)} stored in ${seconds(started, stored)} s, fetched in ` +
        `${seconds(stored, performance.now())} s, digest verified\n${key}\n`,
    );
  } finally {
    client.close();
  }
}

/** A Service of Kubernetes refuses connections for a moment after its pods became ready, so try again, as workers do. */
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PayloadStoreUnavailableError) || performance.now() > end) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** The same bytes for the same seed, made as they are needed: a payload may be larger than memory. */
function* randomContent(seed: Buffer, size: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-256-ctr', seed, Buffer.alloc(16));
  for (let left = size; left > 0; left -= CHUNK_BYTES)
    yield cipher.update(Buffer.alloc(Math.min(CHUNK_BYTES, left)));
}

function digestOf(content: Iterable<Buffer>): string {
  const running = createHash('sha256');
  for (const chunk of content) running.update(chunk);
  return `sha256:${running.digest('hex')}`;
}
