/** Size of a large payload, bytes: more than twice the limit of a gRPC message to Temporal. */
export const LARGE = 10_000_000;

/**
 * Bytes that look random, so that no compression helps, and are always the same for the same name. Runs in workflows
 * too, whose sandbox has no `crypto`.
 */
export function content(name: string, size = LARGE): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  // Access to globals is slow in a workflow's sandbox, so keep them in a local variable.
  const { imul } = Math;
  let state = seed(name);
  for (let index = 0; index < words.length; index++) {
    // splitmix32
    state = (state + 0x9e3779b9) | 0;
    let word = imul(state ^ (state >>> 16), 0x21f0aaad);
    word = imul(word ^ (word >>> 15), 0x735a2d97);
    words[index] = word ^ (word >>> 15);
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** @throws Error, not a Temporal failure, when the bytes are not those of that name, so that a workflow task fails */
export function assertContent(name: string, bytes: Uint8Array | undefined, size = LARGE): void {
  const expected = content(name, size);
  if (bytes?.length !== size) throw new Error(`${name}: ${bytes?.length} bytes instead of ${size}`);
  for (let index = 0; index < size; index++) {
    if (bytes[index] !== expected[index]) throw new Error(`${name}: byte ${index} is another one`);
  }
}

/** FNV-1a */
function seed(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return hash;
}
