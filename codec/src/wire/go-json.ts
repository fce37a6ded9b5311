/**
 * JSON as Go's encoding/json writes it, so that our headers and references are byte for byte those of the Go codec.
 */

const escapedByGo = /[<>&\u2028\u2029]/g;

/**
 * A JSON string literal. Go escapes `<`, `>`, `&`, U+2028 and U+2029 beside what JSON demands, and writes U+FFFD for
 * what is not valid Unicode.
 */
export function goJsonString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    escapedByGo,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * A JSON object of base64 strings, in the order of `entries`. Written by hand because a JavaScript object would move
 * keys that look like integers to the front.
 */
export function goJsonBytesObject(entries: ReadonlyArray<readonly [string, Uint8Array]>): string {
  const members = entries.map(([key, value]) => `${goJsonString(key)}:"${base64Of(value)}"`);
  return `{${members.join(',')}}`;
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
