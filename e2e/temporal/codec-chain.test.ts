import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { expect, test } from 'vitest';
import { payloadCodecs } from './app/codecs.ts';
import type { echo } from './app/workflows.ts';
import { assertSmallHistory } from './history.fixture.ts';
import { show } from './summary.fixture.ts';
import { useTestBed } from './workflow-setup.fixture.ts';

const use = useTestBed('codec-chain');
/** Ten megabytes in which nothing repeats often, but which compress. */
const document = Array.from({ length: 400_000 }, (_, line) => `account ${line}: ${line * 7919}`).join('\n');
const plaintext = Buffer.from(JSON.stringify(document));

test('with the codec alone payloads are stored as they are, and equal ones once', async () => {
  const [file, ...others] = await filesOfRoundTrip('large');
  expect(plaintext.equals(readFileSync(file ?? ''))).toBe(true);
  expect(new Set([file, ...others].map(digestOf)).size).toBe(1);
});

test('behind encryption payloads are stored encrypted, and equal ones separately', async () => {
  const files = await filesOfRoundTrip('encrypt,large');
  expect(new Set(files.map(digestOf)).size).toBe(4);
  for (const file of files) {
    const stored = readFileSync(file);
    expect(stored.includes('account 1')).toBe(false);
    expect(plaintext.equals(await undone('encrypt', stored))).toBe(true);
  }
});

test('behind compression and encryption payloads are compressed before they are encrypted', async () => {
  const files = await filesOfRoundTrip('compress,encrypt,large');
  expect(new Set(files.map(digestOf)).size).toBe(4);
  const payload = defaultPayloadConverter.toPayload(document) as Payload;
  const compressed = deflateSync(proto.temporal.api.common.v1.Payload.encode(payload).finish());
  for (const file of files) {
    const stored = readFileSync(file);
    expect(stored.length).toBeLessThan(plaintext.length / 2);
    expect(stored.includes(compressed.subarray(100, 132))).toBe(false);
    expect(plaintext.equals(await undone('compress,encrypt', stored))).toBe(true);
  }
});

/** Carries the document four times through a workflow with these codecs. @returns the store's new files */
async function filesOfRoundTrip(codecs: string): Promise<string[]> {
  const { bed } = use;
  const before = new Set(storedFiles());
  const started = performance.now();
  const worker = await bed.startWorker({ taskQueue: codecs, codecs });
  const handle = await bed.client(codecs).workflow.start<typeof echo>('echo', {
    workflowId: codecs,
    taskQueue: codecs,
    args: [document],
  });
  expect((await handle.result()) === document).toBe(true);
  await worker.stop();
  const files = storedFiles().filter((file) => !before.has(file));
  const bytes = files.reduce((sum, file) => sum + readFileSync(file).length, 0);
  show({
    what: `codecs: ${codecs.replaceAll(',', ', ')}`,
    payloads: `4 x ${(plaintext.length / 1e6).toFixed(1)} MB`,
    historyBytes: await assertSmallHistory(handle),
    seconds: (performance.now() - started) / 1_000,
    outcome: `every byte arrived; stored ${files.length} x ${(bytes / files.length / 1e6).toFixed(1)} MB`,
  });
  return files;
}

function storedFiles(): string[] {
  return readdirSync(use.bed.dataFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.startsWith('sha256:'))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The digest in a file's name, DIGEST.METADATAHASH. */
function digestOf(file: string | undefined): string | undefined {
  return basename(file ?? '').split('.')[0];
}

/** The original data of a stored payload, which the codecs encrypted last. */
async function undone(codecs: string, data: Uint8Array): Promise<Uint8Array> {
  let payloads: Payload[] = [{ metadata: { encoding: Buffer.from('binary/aes-256-gcm') }, data }];
  for (const codec of payloadCodecs(codecs).reverse()) payloads = await codec.decode(payloads);
  return payloads[0]?.data ?? new Uint8Array();
}
