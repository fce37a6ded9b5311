const TAGS = {
  boolean: 0x01,
  integer: 0x02,
  'bit string': 0x03,
  'octet string': 0x04,
  'object identifier': 0x06,
  'utf8 string': 0x0c,
  'utc time': 0x17,
  'generalized time': 0x18,
  sequence: 0x30,
  set: 0x31,
  'context 0': 0xa0,
  'context 3': 0xa3,
  'context 2 primitive': 0x82,
  'context 7 primitive': 0x87,
} as const;

/** A value in DER (X.690, 8.1): tag, length, content. */
export function der(tag: keyof typeof TAGS, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([TAGS[tag]]), lengthOf(content), content]);
}

/** A positive number, in as few bytes as it takes (X.690, 8.3.2). */
export function integer(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = bytes.subarray(first < 0 ? -1 : first);
  const isNegative = (digits[0] ?? 0) >= 0x80;
  return der('integer', isNegative ? Buffer.concat([Buffer.from([0]), digits]) : digits);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der('object identifier', Buffer.from([40 * first + second, ...rest.flatMap(base128)]));
}

export function text(content: string): Buffer {
  return der('utf8 string', Buffer.from(content));
}

/** RFC 5280, 4.1.2.5: until 2049 with a year of two digits. @param ms since 1970 */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  const isShort = digits >= '1950' && digits < '2050';
  return isShort
    ? der('utc time', Buffer.from(digits.slice(2)))
    : der('generalized time', Buffer.from(digits));
}

function lengthOf({ length }: Buffer): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const digits = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return Buffer.from([0x80 + digits.length, ...digits]);
}

function base128(number: number): number[] {
  const digits = [number & 0x7f];
  for (let rest = number >> 7; rest > 0; rest >>= 7) digits.unshift(0x80 | (rest & 0x7f));
  return digits;
}
