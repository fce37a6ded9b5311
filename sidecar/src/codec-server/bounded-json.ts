import { isUtf8 } from 'node:buffer';
import { ServiceError } from '../errors.ts';

/** Payloads nest five levels deep. */
const MAXIMUM_DEPTH = 32;
/** A thousand payloads with many times the metadata that is in use. */
const MAXIMUM_ITEMS = 100_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * Parses JSON whose structure is small, however long its strings are. A few MiB of `[{},{},…` would otherwise become
 * hundreds of MiB of objects, and seconds in which nobody else is served.
 * @throws ServiceError `invalid_payloads`
 */
export function parseBoundedJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new ServiceError('invalid_payloads', 'the body is not UTF-8');
  assertSmallStructure(bytes);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // What JSON.parse says quotes the text, which is somebody's payload.
    throw new ServiceError('invalid_payloads', 'the body is not JSON');
  }
}

function assertSmallStructure(bytes: Buffer): void {
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
    if (depth > MAXIMUM_DEPTH || items > MAXIMUM_ITEMS) {
      throw new ServiceError(
        'invalid_payloads',
        'the body nests deeper, or has more parts, than payloads do',
      );
    }
  }
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
