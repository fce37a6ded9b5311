type Bytes = AsyncIterable<Buffer>;

/** Ends the passing on of a body. */
export class CutHere extends Error {}

/** Passes `count` bytes, and then throws. */
export function cutAfter(count: number): (source: Bytes) => AsyncGenerator<Buffer> {
  return async function* (source) {
    let left = count;
    for await (const chunk of source) {
      if (chunk.length > left) {
        if (left > 0) yield chunk.subarray(0, left);
        throw new CutHere();
      }
      left -= chunk.length;
      yield chunk;
    }
    throw new CutHere();
  };
}

/** Passes all bytes on, and alters the byte at that position. */
export function alterAt(position: number): (source: Bytes) => AsyncGenerator<Buffer> {
  return async function* (source) {
    let passed = 0;
    for await (const chunk of source) {
      const index = position - passed;
      const altered = index >= 0 && index < chunk.length ? Buffer.from(chunk) : chunk;
      if (altered !== chunk) altered[index] = (altered[index] ?? 0) ^ 0x01;
      passed += chunk.length;
      yield altered;
    }
  };
}
