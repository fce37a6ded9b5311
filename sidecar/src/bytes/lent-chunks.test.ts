import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { expect, test } from 'vitest';
import { factsOf, inChunks, never, someBytes, someName } from '../drivers/conformance/subject.ts';
import { type ByteSink, type ByteSource, bytesOf, sourceOf } from './byte-streams.ts';
import { writeAll } from './object-writer.ts';
import { verifiedSource } from './verified-body.ts';

const bytes = someBytes(1_000);

/** Lends its chunks in the strictest way: one buffer for all, filled anew once a write has ended. */
function lending(content: Buffer, chunkSize = 100): ByteSource {
  return {
    async readInto(sink) {
      const buffer = Buffer.alloc(chunkSize);
      for await (const chunk of inChunks(content, chunkSize)) {
        await sink.write(buffer.subarray(0, chunk.copy(buffer)));
        buffer.fill(0);
      }
    },
  };
}

class KeepingByMistake implements ByteSink {
  readonly chunks: Buffer[] = [];

  write(chunk: Buffer): undefined {
    this.chunks.push(chunk);
  }
}

test('a sink that keeps lent chunks is noticed: it has other bytes in the end', async () => {
  const kept = new KeepingByMistake();
  await lending(bytes).readInto(kept);
  expect(Buffer.concat(kept.chunks).equals(bytes)).toBe(false);
});

test('what reads lent chunks does not keep them: the copy and the verification are right', async () => {
  expect((await bytesOf(lending(bytes))).equals(bytes)).toBe(true);
  expect((await bytesOf(verifiedSource(lending(bytes), factsOf(bytes)))).equals(bytes)).toBe(true);
});

test('a writer keeps chunks, so a stored blob cannot be written into it: the compiler refuses', async () => {
  const driver = new MemoryDriver(10_000);
  const begin = () => driver.begin(someName('kept'), factsOf(bytes), { signal: never() });
  await writeAll(sourceOf(inChunks(bytes)), await begin());
  const blob = async () => (await driver.open(someName('kept'), never())) as ByteSource;
  // @ts-expect-error A blob lends its chunks.
  await (await blob()).readInto(await begin());
  // @ts-expect-error The same through the function that writes a whole object.
  await writeAll(await blob(), await begin());
  // @ts-expect-error Verification does not make lent chunks the sink's own.
  await verifiedSource(await blob(), factsOf(bytes)).readInto(await begin());
  // @ts-expect-error Nor is a source that lends one that gives.
  const given: ReturnType<typeof sourceOf> = lending(bytes);
  expect(given).toBeDefined();
});
