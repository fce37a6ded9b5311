import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { expect, test } from 'vitest';
import { factsOf, inChunks, never, someBytes, someName } from '../drivers/conformance/subject.ts';
import { type ByteSink, type ByteSource, bytesOf } from './byte-streams.ts';
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

test('a sink that keeps lent chunks is noticed, because it has other bytes in the end', async () => {
  const kept = new KeepingByMistake();
  await lending(bytes).readInto(kept);
  expect(Buffer.concat(kept.chunks).equals(bytes)).toBe(false);
});

test('readers of lent chunks do not keep them: copy and verification are right', async () => {
  expect((await bytesOf(lending(bytes))).equals(bytes)).toBe(true);
  expect((await bytesOf(verifiedSource(lending(bytes), factsOf(bytes)))).equals(bytes)).toBe(true);
});

test('a writer copies what it keeps, so a stored blob can be written into it', async () => {
  const driver = new MemoryDriver(10_000);
  const begin = (name: string) => driver.begin(someName(name), factsOf(bytes), { signal: never() });
  await writeAll(lending(bytes), await begin('first'));
  const blob = (await driver.open(someName('first'), never())) as ByteSource;
  await writeAll(verifiedSource(blob, factsOf(bytes)), await begin('second'));
  const copy = (await driver.open(someName('second'), never())) as ByteSource;
  expect((await bytesOf(copy)).equals(bytes)).toBe(true);
});
