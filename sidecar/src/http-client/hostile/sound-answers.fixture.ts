import {
  bodyOf,
  bytes,
  cut,
  type HostileAnswer,
  head,
  inChunks,
  type Maker,
  made,
  pick,
  type Random,
  smallBodyOf,
} from './answer-bytes.fixture.ts';

export const whole = (random: Random, number: number): HostileAnswer => {
  const body = bodyOf(random, number);
  return made({
    kind: 'whole',
    steps: cut(random, bytes(head(200, [['Content-Length', `${body.length}`]]), body)),
    believable: { status: 200, body },
  });
};

/** A client has to deliver them, unless the connection was closed after the answer before. */
export const SOUND: readonly Maker[] = [
  whole,
  whole,
  whole,
  whole,
  (random, number) => {
    // Hundreds of writes for one answer.
    if (random() > 0.1) return whole(random, number);
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
