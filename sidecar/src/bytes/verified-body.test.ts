import { describe, expect, test } from 'vitest';
import { factsOf, inChunks, never, someBytes } from '../drivers/conformance/subject.ts';
import { IntegrityError } from '../errors/integrity-error.ts';
import type { BlobFacts } from './blob-facts.ts';
import { drain, sourceOf } from './byte-streams.ts';
import { CheckedWriter, type WriteSteps, writeAll } from './object-writer.ts';
import { verifiedSource, verify } from './verified-body.ts';

const bytes = someBytes(1_000);
const wrongDigest = { size: 1_000, digest: factsOf(someBytes(1_000, 'other')).digest };

type Passes = (chunks: AsyncIterable<Buffer>, facts?: BlobFacts) => Promise<{ seen: number; error: unknown }>;

/** What a sink gets before the source ends or fails. */
const readFrom: Passes = async (chunks, facts = factsOf(bytes)) => {
  const sink = new CountingSink();
  const error = await verifiedSource(sourceOf(chunks), facts)
    .readInto(sink)
    .catch((failure) => failure);
  return { seen: sink.seen, error };
};

/** What a driver's writer gets before it is committed or aborted. */
const writeInto: Passes = async (chunks, facts = factsOf(bytes)) => {
  const sink = new CountingSink();
  const writer = new CheckedWriter(sink, facts, never());
  const error = await writeAll(sourceOf(chunks), writer).then(
    () => undefined,
    (failure) => failure,
  );
  expect(sink.ended).toBe(error === undefined ? 'committed' : 'aborted');
  return { seen: sink.seen, error };
};

class CountingSink implements WriteSteps {
  seen = 0;
  chunks = 0;
  ended: string | undefined;

  write(chunk: Buffer): undefined {
    this.seen += chunk.length;
    this.chunks += 1;
  }

  async commit(): Promise<'created'> {
    this.ended = 'committed';
    return 'created';
  }

  async abort(): Promise<void> {
    this.ended = 'aborted';
  }
}

const DIRECTIONS: [string, Passes][] = [
  ['read from a verified source', readFrom],
  ['written into a checked writer', writeInto],
];

describe.each(DIRECTIONS)('bytes that are %s', (_direction, passed) => {
  describe.each([
    ['one chunk', 1_000, 0],
    ['two chunks', 500, 500],
    ['many chunks', 7, 994],
    ['single bytes', 1, 999],
  ])('%s', (_title, chunkSize, beforeTheLast) => {
    test('of the promised bytes pass', async () => {
      expect(await passed(inChunks(bytes, chunkSize))).toEqual({ seen: 1_000, error: undefined });
    });

    test('of other bytes: an error in place of the last', async () => {
      const { seen, error } = await passed(inChunks(bytes, chunkSize), wrongDigest);
      expect(error).toBeInstanceOf(IntegrityError);
      expect(seen).toBe(beforeTheLast);
    });

    test('that end too early: an error', async () => {
      const { seen, error } = await passed(inChunks(bytes.subarray(0, 999), chunkSize));
      expect(error).toMatchObject({
        name: 'IntegrityError',
        message: '999 bytes instead of the promised 1000',
      });
      expect(seen).toBeLessThan(1_000);
    });

    test('that go on too long: an error, never more bytes than promised', async () => {
      const { seen, error } = await passed(inChunks(Buffer.concat([bytes, Buffer.from('x')]), chunkSize));
      expect(error).toMatchObject({ name: 'IntegrityError', message: 'more than the promised 1000 bytes' });
      expect(seen).toBeLessThanOrEqual(1_000);
    });
  });

  describe('no bytes', () => {
    const empty = Buffer.alloc(0);

    test('are the right ones of the empty digest', async () => {
      expect(await passed(inChunks(empty), factsOf(empty))).toEqual({ seen: 0, error: undefined });
      expect(await passed(chunksWithoutBytes(), factsOf(empty))).toEqual({ seen: 0, error: undefined });
    });

    test('are wrong for any other digest, and any byte is too many', async () => {
      const facts = { size: 0, digest: factsOf(bytes).digest };
      expect((await passed(inChunks(empty), facts)).error).toBeInstanceOf(IntegrityError);
      expect((await passed(inChunks(Buffer.from('x')), factsOf(empty))).error).toBeInstanceOf(IntegrityError);
    });

    test('where some were promised are too few', async () => {
      expect((await passed(chunksWithoutBytes())).error).toBeInstanceOf(IntegrityError);
    });
  });

  test('chunks without bytes are left out, and do not hide a wrong last one', async () => {
    const spread = async function* () {
      yield* chunksWithoutBytes();
      yield bytes.subarray(0, 600);
      yield* chunksWithoutBytes();
      yield bytes.subarray(600);
      yield* chunksWithoutBytes();
    };
    expect(await passed(spread())).toEqual({ seen: 1_000, error: undefined });
    expect(await passed(spread(), wrongDigest)).toMatchObject({
      seen: 600,
      error: { name: 'IntegrityError' },
    });
  });
});

test('an error of the source is passed on, and a sink that rejects ends the source', async () => {
  const failure = new Error('the client left');
  const failing = async function* () {
    yield bytes.subarray(0, 10);
    throw failure;
  };
  await expect(verify(sourceOf(failing()), factsOf(bytes), never())).rejects.toBe(failure);
  let ended = false;
  const source = async function* () {
    try {
      yield* inChunks(bytes, 10);
    } finally {
      ended = true;
    }
  };
  const left = new Error('the reader has left');
  const leaving = { write: () => Promise.reject(left) };
  await expect(verifiedSource(sourceOf(source()), factsOf(bytes)).readInto(leaving)).rejects.toBe(left);
  expect(ended).toBe(true);
});

test('drain stops at an aborted signal', async () => {
  const stop = new AbortController();
  let taken = 0;
  const source = async function* () {
    for await (const chunk of inChunks(bytes, 10)) {
      taken += 1;
      if (taken === 3) stop.abort(new Error('no longer wanted'));
      yield chunk;
    }
  };
  await expect(drain(sourceOf(source()), stop.signal)).rejects.toThrow('no longer wanted');
  expect(taken).toBe(3);
});

test('chunks without bytes do not reach the sink', async () => {
  const sink = new CountingSink();
  await verifiedSource(sourceOf(chunksWithoutBytes()), factsOf(Buffer.alloc(0))).readInto(sink);
  expect(sink.chunks).toBe(0);
});

test('a writer whose last chunk was refused cannot be committed', async () => {
  const sink = new CountingSink();
  const writer = new CheckedWriter(sink, wrongDigest, never());
  expect(() => writer.write(bytes)).toThrow(IntegrityError);
  await expect(writer.commit()).rejects.toThrow(IntegrityError);
  expect(sink).toMatchObject({ seen: 0, ended: 'aborted' });
});

async function* chunksWithoutBytes(): AsyncGenerator<Buffer> {
  for (let index = 0; index < 3; index += 1) yield Buffer.alloc(0);
}
