import { Refusal } from './refusal.ts';

/** Objects of Kubernetes have about 20 levels. */
const DEEPEST = 100;
/** A pod of 1.5 MiB, the largest that etcd takes, has fewer. Each costs about 60 bytes of memory, so 3 bytes of JSON would become 60. */
const MOST_VALUES = 300_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * Parses JSON that becomes no more than about 20 MiB of values beside its text.
 * @throws Refusal 400
 */
export function parseModest(bytes: Buffer): unknown {
  assertModest(bytes);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new Refusal(400, `the body is no JSON: ${(cause as Error).message}`);
  }
}

/** Counts what the parser would build, without building it. Text that is no JSON may be counted wrongly, and is refused later. */
function assertModest(bytes: Buffer): void {
  let depth = 0;
  let values = 0;
  for (let position = 0; position < bytes.length; position += 1) {
    const byte = bytes[position] as number;
    if (byte === QUOTE) position = endOfString(bytes, position);
    else if (byte === COMMA) values += 1;
    else if (CLOSING.has(byte)) depth -= 1;
    else if (OPENING.has(byte)) {
      depth += 1;
      values += 1;
    }
    if (depth > DEEPEST) throw new Refusal(400, `the body has more than ${DEEPEST} levels`);
    if (values > MOST_VALUES) throw new Refusal(400, `the body has more than ${MOST_VALUES} values`);
  }
}

/** @returns position of the closing quote */
function endOfString(bytes: Buffer, opening: number): number {
  for (let position = opening + 1; position < bytes.length; position += 1) {
    const byte = bytes[position];
    if (byte === QUOTE) return position;
    if (byte === BACKSLASH) position += 1;
  }
  return bytes.length;
}
