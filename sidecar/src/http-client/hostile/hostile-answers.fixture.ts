import { seededRandom } from '@largepayload/testing/fault-proxy/random';

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

type Random = () => number;

/** The answer to the request of this number. Its bytes belong to no other number. */
export function hostileAnswer(seed: number, number: number): HostileAnswer {
  const random = seededRandom(seed * 1_000_003 + number);
  for (let skipped = 0; skipped < 8; skipped += 1) random();
  return pick(random, random() < 0.4 ? SOUND : UNSOUND)(random, number);
}

type Maker = (random: Random, number: number) => HostileAnswer;

const whole = (random: Random, number: number): HostileAnswer => {
  const body = bodyOf(random, number);
  return made({
    kind: 'whole',
    steps: cut(random, bytes(head(200, [['Content-Length', `${body.length}`]]), body)),
    believable: { status: 200, body },
  });
};

const SOUND: readonly Maker[] = [
  whole,
  whole,
  whole,
  whole,
  (random, number) => {
    const body = smallBodyOf(random, number);
    const text = bytes(head(200, [['content-length', `${body.length}`]]), body);
    const steps = [...text].map((byte) => Buffer.from([byte]));
    return made({ kind: 'byte by byte', steps, believable: { status: 200, body } });
  },
  (random, number) => ({ ...whole(random, number), kind: 'whole, then FIN', end: 'fin' }),
  (random, number) => ({ ...whole(random, number), kind: 'whole, then RST', end: 'rst' }),
  (random, number) => {
    const body = smallBodyOf(random, number);
    const [version, end] = random() < 0.5 ? (['1.0', 'fin'] as const) : (['1.1', 'keep'] as const);
    const text = head(
      200,
      [
        ['Content-Length', `${body.length}`],
        ['Connection', 'Close'],
      ],
      version,
    );
    return made({
      kind: 'closing',
      steps: cut(random, bytes(text, body)),
      end,
      believable: { status: 200, body },
    });
  },
  (random, number) => {
    const body = smallBodyOf(random, number);
    const status = pick(random, [301, 302, 403, 404, 416, 500, 503]);
    const text = head(status, [
      ['Content-Length', `${body.length}`],
      ['Location', 'http://else.test/'],
    ]);
    return made({ kind: 'refusal', steps: cut(random, bytes(text, body)), believable: { status, body } });
  },
  (random, number) => {
    const body = smallBodyOf(random, number);
    const text = head(404, [['Transfer-Encoding', pick(random, ['chunked', 'Chunked'])]]);
    const steps = cut(random, bytes(text, inChunks(random, body)));
    return made({ kind: 'refusal in chunks', steps, believable: { status: 404, body } });
  },
  (random, number) => {
    const body = smallBodyOf(random, number);
    const steps = cut(random, bytes(head(503, []), body));
    return made({ kind: 'refusal up to the end', steps, end: 'fin', believable: { status: 503, body } });
  },
  (random) => {
    const status = pick(random, [204, 304]);
    return made({
      kind: 'without a body',
      steps: cut(random, bytes(head(status, []))),
      believable: { status, body: Buffer.alloc(0) },
    });
  },
  (random) => {
    const headers = pick(random, [
      [['Content-Length', '123456']],
      [['Transfer-Encoding', 'chunked']],
      [],
    ] as const);
    const status = pick(random, [200, 404]);
    return made({
      kind: 'to HEAD',
      method: 'HEAD',
      steps: cut(random, bytes(head(status, headers))),
      believable: { status, body: Buffer.alloc(0) },
    });
  },
  (random) => {
    const [status, requestSize] = [pick(random, [200, 412]), pick(random, [0, 100, 70_000, 1_500_000])];
    const isEarly = status === 412 && random() < 0.5;
    return made({
      kind: 'to PUT',
      method: 'PUT',
      requestSize,
      isEarly,
      steps: cut(random, bytes(head(status, [['Content-Length', '0']]))),
      believable: { status, body: Buffer.alloc(0) },
    });
  },
  (random) => {
    return made({
      kind: 'to PUT that asks',
      method: 'PUT',
      asksFirst: true,
      requestSize: 100_000,
      steps: cut(random, bytes(head(200, [['Content-Length', '0']]))),
      believable: { status: 200, body: Buffer.alloc(0) },
    });
  },
];

const LENGTHS = [
  '-1',
  '+5',
  '9007199254740992',
  '1e3',
  '0x10',
  '5 5',
  '5,5',
  '',
  '5;',
  '٥',
  '99999999999999999999',
];
const LINES = [
  'No-Colon',
  ': empty',
  'With Space: 1',
  'Colon : 1',
  'Nul: a\0b',
  'Bare: a\nX-Evil: 1',
  'Bare: a\rX-Evil: 1',
  'A: 1\r\n folded',
  'A: 1\r\n\tfolded',
  'Delete: \x7f',
  'Content-Encoding: gzip',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: gzip, chunked',
  `Long: ${'x'.repeat(17_000)}`,
];
const STATUS_LINES = [
  'HTTP/2 200 OK',
  'HTTP/1.1 20 OK',
  'HTTP/1.1 2000 OK',
  'HTTP/1.1  200 OK',
  'HTTP/1.1 200\tOK',
  'http/1.1 200 OK',
  '\r\nHTTP/1.1 200 OK',
  ' HTTP/1.1 200 OK',
  'xHTTP/1.1 200 OK',
  'HTTP/1.1 200 O\nK',
  'HTTP/1.1 900 OK',
  'HTTP/1.12 200 OK',
  'ICY 200 OK',
  'SSH-2.0-OpenSSH_9.9',
];
const CHUNKS = ['g\r\n', '5;a=b\r\nhello\r\n0\r\n\r\n', '5\r\nhello\r\n0\r\nA: 1\r\n\r\n', '5\nhello\n0\n\n'];
const BROKEN_CHUNKS = [
  ...CHUNKS,
  '5\r\nhelloX\r\n0\r\n\r\n',
  '-5\r\nhello',
  '\r\nhello',
  'fffffffff\r\nhello',
  ' 5\r\nhello\r\n',
];

const UNSOUND: readonly Maker[] = [
  ...(['fin', 'rst'] as const).flatMap((end): Maker[] => {
    const cutShort: Maker = (random, number) => {
      const { steps } = whole(random, number);
      const all = Buffer.concat(steps.filter((step) => typeof step !== 'number'));
      const part = all.subarray(0, Math.floor(random() * all.length));
      return made({ kind: `cut short by ${end}`, steps: cut(random, part), end });
    };
    return [cutShort, cutShort];
  }),
  (random, number) => {
    const body = smallBodyOf(random, number);
    const lengths = pick(random, [['Content-Length', pick(random, LENGTHS)]]);
    return unsound('a wrong length', random, head(200, [lengths as [string, string]]), body);
  },
  (random, number) => {
    const body = smallBodyOf(random, number);
    const other = random() < 0.5 ? body.length : body.length + 1;
    const headers = [
      ['Content-Length', `${body.length}`],
      ['content-length', `${other}`],
    ] as const;
    return unsound('two lengths', random, head(200, headers), body);
  },
  (random, number) => unsound('no length', random, head(200, []), smallBodyOf(random, number), 'fin'),
  (random, number) => {
    const body = smallBodyOf(random, number);
    const line = pick(random, LINES);
    const text = head(200, [['Content-Length', `${body.length}`]]).replace('\r\n\r\n', `\r\n${line}\r\n\r\n`);
    return unsound('a bad header', random, text, body);
  },
  (random, number) => {
    const body = smallBodyOf(random, number);
    const text = head(200, [['Content-Length', `${body.length}`]]);
    return unsound(
      'a bad beginning',
      random,
      text.replace('HTTP/1.1 200 OK', pick(random, STATUS_LINES)),
      body,
    );
  },
  (random, number) =>
    unsound(
      'a bad chunk',
      random,
      head(404, [['Transfer-Encoding', 'chunked']]),
      Buffer.from(pick(random, BROKEN_CHUNKS)),
      pick(random, ['keep', 'fin']),
      number,
    ),
  (random, number) => {
    const body = inChunks(random, smallBodyOf(random, number));
    return unsound('chunks of a success', random, head(200, [['Transfer-Encoding', 'chunked']]), body);
  },
  (random, number) => {
    const status = pick(random, [100, 101, 102, 103]);
    const { steps } = whole(random, number);
    const first = Buffer.from(`HTTP/1.1 ${status} Early\r\nLink: </x>\r\n\r\n`);
    return made({ kind: 'a 1xx', steps: [first, ...steps] });
  },
  (random, number) => {
    const length = 65_537 + Math.floor(random() * 100_000);
    const body = pattern(number, length);
    if (random() < 0.5)
      return unsound('a large refusal', random, head(500, [['Content-Length', `${length}`]]), body);
    return unsound(
      'a large refusal',
      random,
      head(500, [['Transfer-Encoding', 'chunked']]),
      inChunks(random, body),
    );
  },
  (random) =>
    unsound('a 204 with a body', random, head(204, [['Content-Length', '5']]), Buffer.from('hello')),
  // These hold the connection for as long as the client bears it.
  (random, number) => {
    const { steps } = whole(random, number);
    return random() < 0.05
      ? made({ kind: 'silence', steps: [] })
      : made({ kind: 'cut short by fin', steps: [], end: steps.length > 0 ? 'fin' : 'rst' });
  },
  (random, number) => {
    if (random() > 0.05) return made({ kind: 'cut short by rst', steps: [Buffer.from('HTTP')], end: 'rst' });
    const text = Buffer.from(
      head(200, [
        ['Content-Length', '5'],
        ['X-Long', 'x'.repeat(200)],
      ]),
    );
    const dripped = [...text].flatMap((byte) => [Buffer.from([byte]), 20]);
    return made({ kind: `a head by drips ${number}`, steps: dripped });
  },
  (random, number) => {
    if (random() > 0.05)
      return { ...whole(random, number), kind: 'no answer', steps: [], end: 'rst', believable: undefined };
    const body = pattern(number, 100_000);
    const text = bytes(head(200, [['Content-Length', `${body.length}`]]), body.subarray(0, 50_000));
    return made({ kind: 'a body that stops', steps: [text] });
  },
  (random, number) => {
    if (random() > 0.2)
      return unsound('no length', random, head(200, []), smallBodyOf(random, number), 'fin');
    const text = head(200, [
      ['Content-Length', '5'],
      ['X-Huge', 'x'.repeat(1024 * 1024)],
    ]);
    return unsound('a head of 1 MiB', random, text, Buffer.from('hello'));
  },
  // The body is what its length says, but no further request may use the connection.
  (random, number) => {
    const body = smallBodyOf(random, number);
    const surplus = random() < 0.5 ? Buffer.from('x') : evil();
    const text = bytes(head(200, [['Content-Length', `${body.length}`]]), body, surplus);
    return made({ kind: 'surplus bytes', steps: [text], believable: { status: 200, body } });
  },
  (random) => {
    const steps = [bytes(head(200, []), evil())];
    const headOnly = { method: 'HEAD' as const, believable: { status: 200, body: Buffer.alloc(0) } };
    return made({
      kind: 'a body after HEAD',
      steps: random() < 0.5 ? steps : [bytes(head(200, []), Buffer.from('body'))],
      ...headOnly,
    });
  },
];

function made(answer: Partial<HostileAnswer> & Pick<HostileAnswer, 'kind' | 'steps'>): HostileAnswer {
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

function unsound(
  kind: string,
  random: Random,
  text: string,
  body: Buffer,
  end: HostileAnswer['end'] = pick(random, ['keep', 'fin', 'rst']),
  _number = 0,
): HostileAnswer {
  return made({ kind, steps: cut(random, bytes(text, body)), end });
}

/** What nobody asked for. Whoever delivers it has taken it for the answer to another request. */
export const EVIL = 'evil';
const evil = () =>
  bytes(
    head(200, [
      ['Content-Length', '4'],
      ['X-Evil', '1'],
    ]),
    Buffer.from(EVIL),
  );

function head(status: number, headers: readonly (readonly [string, string])[], version = '1.1'): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/${version} ${status} ${status === 200 ? 'OK' : 'Other'}\r\nETag: "x"\r\n${lines.join('')}\r\n`;
}

const bytes = (text: string, ...more: Buffer[]) => Buffer.concat([Buffer.from(text, 'latin1'), ...more]);

function bodyOf(random: Random, number: number): Buffer {
  const share = random();
  if (share < 0.9) return smallBodyOf(random, number);
  if (share < 0.97) return pattern(number, Math.floor(random() * 300_000));
  return pattern(number, 1_000_000 + Math.floor(random() * 1_500_000));
}

const smallBodyOf = (random: Random, number: number) => pattern(number, Math.floor(random() * 200));

const PATTERN = Buffer.from(
  Array.from({ length: 4096 + 2_600_000 }, (_, at) => (at * 31 + (at >> 8) * 7) & 0xff),
);

/** Bytes that differ from those of other numbers. */
function pattern(number: number, length: number): Buffer {
  const from = (number * 97) % 4096;
  return PATTERN.subarray(from, from + length);
}

function inChunks(random: Random, body: Buffer): Buffer {
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
function cut(random: Random, all: Buffer): (Buffer | number)[] {
  const cuts = Array.from({ length: Math.floor(random() * 4) }, () => Math.floor(random() * all.length));
  const ends = [...cuts.sort((a, b) => a - b), all.length];
  return ends.flatMap((end, index) => {
    const piece = all.subarray(index === 0 ? 0 : ends[index - 1], end);
    return piece.length === 0 ? [] : random() < 0.2 ? [piece, 1] : [piece];
  });
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}
