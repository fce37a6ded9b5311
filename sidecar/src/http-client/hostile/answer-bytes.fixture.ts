/** What a server does with one request. The client knows the seed, and so what it may believe. */
export interface HostileAnswer {
  readonly kind: string;
  readonly method: 'GET' | 'HEAD' | 'PUT';
  /** bytes of the request's body */
  readonly requestSize: number;
  /** the body is asked for by `Expect: 100-continue` */
  readonly asksFirst: boolean;
  /** the server answers before it has read the body */
  readonly isEarly: boolean;
  /** sent one after the other; a number is a pause in ms */
  readonly steps: readonly (Buffer | number)[];
  readonly end: 'keep' | 'fin' | 'rst';
  /** `undefined`: nothing of it may be delivered as whole */
  readonly believable: { readonly status: number; readonly body: Buffer } | undefined;
}

export type Random = () => number;

/** Makes the answer to the request of a number. */
export type Maker = (random: Random, number: number) => HostileAnswer;

export function made(answer: Partial<HostileAnswer> & Pick<HostileAnswer, 'kind' | 'steps'>): HostileAnswer {
  const usual = {
    method: 'GET',
    requestSize: 0,
    asksFirst: false,
    isEarly: false,
    end: 'keep',
    believable: undefined,
  } as const;
  return { ...usual, ...answer };
}

/** Bytes that answer no request. A client that delivers them has taken them for an answer. */
export const EVIL = 'evil';
export const evil = () =>
  bytes(
    head(200, [
      ['Content-Length', '4'],
      ['X-Evil', '1'],
    ]),
    Buffer.from(EVIL),
  );

export function head(
  status: number,
  headers: readonly (readonly [string, string])[],
  version = '1.1',
): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/${version} ${status} ${status === 200 ? 'OK' : 'Other'}\r\nETag: "x"\r\n${lines.join('')}\r\n`;
}

export const bytes = (text: string, ...more: Buffer[]) =>
  Buffer.concat([Buffer.from(text, 'latin1'), ...more]);

export function bodyOf(random: Random, number: number): Buffer {
  const share = random();
  if (share < 0.9) return smallBodyOf(random, number);
  if (share < 0.97) return pattern(number, Math.floor(random() * 300_000));
  return pattern(number, 1_000_000 + Math.floor(random() * 1_500_000));
}

export const smallBodyOf = (random: Random, number: number) => pattern(number, Math.floor(random() * 200));

const PATTERN = Buffer.from(
  Array.from({ length: 4096 + 2_600_000 }, (_, at) => (at * 31 + (at >> 8) * 7) & 0xff),
);

/** Bytes that differ from those of other numbers. */
export function pattern(number: number, length: number): Buffer {
  const from = (number * 97) % 4096;
  return PATTERN.subarray(from, from + length);
}

export function inChunks(random: Random, body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const part = body.subarray(at, at + 1 + Math.floor(random() * body.length));
    const size = part.length.toString(16);
    parts.push(bytes(`${random() < 0.5 ? size : `0${size.toUpperCase()}`}\r\n`), part, bytes('\r\n'));
    at += part.length;
  }
  return Buffer.concat([...parts, bytes('0\r\n\r\n')]);
}

/** In up to four pieces, some with a pause between them. */
export function cut(random: Random, all: Buffer): (Buffer | number)[] {
  const cuts = Array.from({ length: Math.floor(random() * 4) }, () => Math.floor(random() * all.length));
  const ends = [...cuts.sort((a, b) => a - b), all.length];
  return ends.flatMap((end, index) => {
    const piece = all.subarray(index === 0 ? 0 : ends[index - 1], end);
    return piece.length === 0 ? [] : random() < 0.2 ? [piece, 1] : [piece];
  });
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}
