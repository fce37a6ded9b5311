import {
  bytes,
  cut,
  evil,
  type HostileAnswer,
  head,
  inChunks,
  type Maker,
  made,
  pattern,
  pick,
  type Random,
  smallBodyOf,
} from './answer-bytes.fixture.ts';
import { whole } from './sound-answers.fixture.ts';

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

/** None of them may be delivered as whole, unless it says so itself. */
export const UNSOUND: readonly Maker[] = [
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
  (random) =>
    unsound(
      'a bad chunk',
      random,
      head(404, [['Transfer-Encoding', 'chunked']]),
      Buffer.from(pick(random, BROKEN_CHUNKS)),
      pick(random, ['keep', 'fin']),
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
  // The first of each two keeps the connection until the client's limit, so it is rare.
  (random) => {
    if (random() < 0.05) return made({ kind: 'silence', steps: [] });
    return made({ kind: 'no answer', steps: [], end: pick(random, ['fin', 'rst']) });
  },
  (random) => {
    if (random() > 0.05) return made({ kind: 'cut short by rst', steps: [Buffer.from('HTTP')], end: 'rst' });
    const text = head(200, [
      ['Content-Length', '5'],
      ['X-Long', 'x'.repeat(200)],
    ]);
    const dripped = [...Buffer.from(text)].flatMap((byte) => [Buffer.from([byte]), 20]);
    return made({ kind: 'a head by drips', steps: dripped });
  },
  (random, number) => {
    const body = pattern(number, 100_000);
    const text = bytes(head(200, [['Content-Length', `${body.length}`]]), body.subarray(0, 50_000));
    if (random() < 0.05) return made({ kind: 'a body that stops', steps: [text] });
    return made({ kind: 'cut short by fin', steps: [text], end: 'fin' });
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

function unsound(
  kind: string,
  random: Random,
  text: string,
  body: Buffer,
  end: HostileAnswer['end'] = pick(random, ['keep', 'fin', 'rst']),
): HostileAnswer {
  return made({ kind, steps: cut(random, bytes(text, body)), end });
}
