import { describe, expect, test } from 'vitest';
import { someBytes } from '../drivers/conformance/subject.ts';
import { free } from './buffer-pool.ts';
import { PIECE_BYTES, Pieces } from './pieces.ts';

const SIZES = [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 3 * PIECE_BYTES + 7];

/** Writes the bytes by chunks, each of which is freed when its write has ended. */
async function write(pieces: Pieces, bytes: Buffer, chunkSize: number): Promise<void> {
  for (let from = 0; from < bytes.length; from += chunkSize) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(chunkSize, bytes.length - from));
    bytes.copy(chunk, 0, from);
    await pieces.write(chunk);
    free(chunk);
  }
}

describe.each(SIZES)('a body of %i bytes', (size) => {
  const pieceBytes = size <= 1024 * 1024 ? size : PIECE_BYTES;
  const bytes = someBytes(size);

  test.each([4_093, 64 * 1024, PIECE_BYTES, 2 * PIECE_BYTES + 1])(
    'in chunks of %i bytes becomes full pieces and a rest, with the same bytes',
    async (chunkSize) => {
      const copies: Buffer[] = [];
      const memory = new Set<ArrayBufferLike>();
      const pieces = new Pieces(size, async (piece) => {
        memory.add(piece.buffer);
        await new Promise(setImmediate);
        copies.push(Buffer.from(piece));
      });
      await write(pieces, bytes, chunkSize);
      await pieces.end();
      expect(Buffer.concat(copies).equals(bytes)).toBe(true);
      expect(copies.slice(0, -1).every(({ length }) => length === pieceBytes)).toBe(true);
      expect(copies.length).toBe(size === 0 ? 0 : Math.ceil(size / pieceBytes));
      expect(memory.size).toBeLessThanOrEqual(2);
      pieces.release();
    },
  );

  test('keeps its last piece until the end', async () => {
    let handedOn = 0;
    const pieces = new Pieces(size, async (piece) => {
      handedOn += piece.length;
    });
    await write(pieces, bytes, 64 * 1024);
    await new Promise(setImmediate);
    expect(handedOn).toBe(size === 0 ? 0 : Math.floor((size - 1) / pieceBytes) * pieceBytes);
    await pieces.end();
    expect(handedOn).toBe(size);
  });
});

test('a piece is not filled anew while it is handed on, and the second piece waits for it', async () => {
  const first = Promise.withResolvers<void>();
  const held: Buffer[] = [];
  const pieces = new Pieces(4 * PIECE_BYTES, (piece) => {
    held.push(piece);
    return first.promise;
  });
  await pieces.write(Buffer.alloc(PIECE_BYTES, 'a'));
  let hasEnded = false;
  const second = pieces.write(Buffer.alloc(PIECE_BYTES, 'b'))?.then(() => {
    hasEnded = true;
  });
  await new Promise(setImmediate);
  expect(hasEnded).toBe(false);
  expect(held.length).toBe(1);
  expect(held[0]?.equals(Buffer.alloc(PIECE_BYTES, 'a'))).toBe(true);
  first.resolve();
  await second;
  expect(held.length).toBe(2);
});

test('a piece that could not be handed on fails the next write that waits, and the end', async () => {
  const failure = new Error('the disk is full');
  const pieces = new Pieces(4 * PIECE_BYTES, () => Promise.reject(failure));
  await pieces.write(Buffer.alloc(PIECE_BYTES));
  await expect(pieces.write(Buffer.alloc(PIECE_BYTES))).rejects.toBe(failure);
  await expect(pieces.end()).rejects.toBe(failure);
});
