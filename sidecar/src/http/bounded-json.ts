/** The most that a JSON text may be made of. */
export interface JsonBounds {
  /** levels of objects and arrays */
  readonly depth: number;
  /** elements and fields, those of an inner object or array included */
  readonly items: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * Whether JSON has a small structure, however long its strings are. A few MiB of `[{},{},…` would otherwise become
 * hundreds of MiB of objects, and seconds in which no other request is served. Looks at the bytes alone, and only as far as
 * they keep the bounds, so that it costs little whatever they are.
 */
export function isWithinBounds(bytes: Buffer, bounds: JsonBounds): boolean {
  let depth = 0;
  let items = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
    } else if (byte === COMMA) {
      items += 1;
    } else if (OPENING.has(byte)) {
      depth += 1;
      items += 1;
    } else if (CLOSING.has(byte)) {
      depth -= 1;
    }
    if (depth > bounds.depth || items > bounds.items) return false;
  }
  return true;
}

/** Where the string that opens at `start` closes; the end of the text when it does not. */
function endOfString(bytes: Buffer, start: number): number {
  let end = start;
  do {
    end = bytes.indexOf(QUOTE, end + 1);
  } while (end >= 0 && isEscaped(bytes, end));
  return end < 0 ? bytes.length : end;
}

function isEscaped(bytes: Buffer, at: number): boolean {
  let backslashes = 0;
  while (bytes[at - backslashes - 1] === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}
