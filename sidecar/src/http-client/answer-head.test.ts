import { cpuMsOf } from '@largepayload/testing/processes/process-facts';
import { expect, test } from 'vitest';
import { framingOf } from './answer-framing.ts';
import { HeadReader, parseHead } from './answer-head.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag:"x" \r\nX-A: 1\r\nx-a:\t2\r\nEmpty:\r\n\r\n';

test('a head has its status and its headers, names in lower case, repeated ones joined', () => {
  expect(parseHead(HEAD.slice(0, -4))).toEqual({
    statusCode: 200,
    headers: { 'content-length': '5', etag: '"x"', 'x-a': '1, 2', empty: '' },
    keepsConnection: true,
  });
});

test('a head that is cut at any byte is read as a whole one, and leaves the bytes behind it', () => {
  const all = Buffer.from(`${HEAD}hello`);
  for (let at = 0; at <= all.length; at += 1) {
    const reader = new HeadReader();
    const first = reader.take(all.subarray(0, at));
    const taken = first ?? reader.take(all.subarray(at));
    expect(taken?.head.headers.etag).toBe('"x"');
    const rest = Buffer.concat([
      taken?.rest as Buffer,
      first === undefined ? Buffer.alloc(0) : all.subarray(at),
    ]);
    expect(rest.toString()).toBe('hello');
  }
});

test('a head that comes byte by byte is read', () => {
  const reader = new HeadReader();
  const taken = [...Buffer.from(HEAD)].map((byte) => reader.take(Buffer.from([byte])));
  expect(taken.at(-1)?.head.statusCode).toBe(200);
  expect(taken.slice(0, -1)).toEqual(taken.slice(0, -1).map(() => undefined));
});

test.each([
  ['', true],
  ['Connection: close\r\n', false],
  ['Connection: x , Close\r\n', false],
  ['Connection: keep-alive\r\nConnection: close\r\n', false],
  ['Connection: keep-alive\r\n', true],
])('a head with %j: the connection is kept: %s', (lines, keepsConnection) => {
  expect(parseHead(`HTTP/1.1 200 OK\r\n${lines}A: 1`).keepsConnection).toBe(keepsConnection);
  expect(parseHead(`HTTP/1.0 200 OK\r\n${lines}A: 1`).keepsConnection).toBe(false);
});

test('a head of 16 KiB is read, and a longer one is refused before its end, whatever its pieces', () => {
  const sized = (size: number) => Buffer.from(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(size - 20)}\r\n\r\n`);
  expect(new HeadReader().take(sized(16 * 1024))?.head.statusCode).toBe(200);
  for (const size of [16 * 1024 + 1, 16 * 1024 + 5, 1024 * 1024]) {
    expect(() => new HeadReader().take(sized(size))).toThrow(/a head of more than 16384 bytes/);
    const reader = new HeadReader();
    const byPieces = () => {
      for (let at = 0; at < size; at += 1_000) reader.take(sized(size).subarray(at, at + 1_000));
    };
    expect(byPieces).toThrow(/a head of more than 16384 bytes/);
  }
});

test('a head with many spaces is read in linear time', () => {
  const spaces = ' '.repeat(16_000);
  const costs = cpuMsOf(() => {
    for (let count = 0; count < 100; count += 1) {
      expect(() => parseHead(`HTTP/1.1 200 OK\r\nA:${spaces}\x01`)).toThrow(/a malformed header/);
      expect(parseHead(`HTTP/1.1 200 OK\r\nConnection: a${spaces}b`).keepsConnection).toBe(true);
    }
  });
  // In quadratic time it took more than 40 s.
  expect(costs).toBeLessThan(5_000);
});

test('what does not begin as HTTP is told at its first bytes', () => {
  for (const text of ['SSH-2.0', 'x', '\r\n', '\x15\x03\x01'])
    expect(() => new HeadReader().take(Buffer.from(text, 'latin1'))).toThrow(
      expect.objectContaining({ code: 'NotHttp' }),
    );
});

const framed = (
  headers: Record<string, string>,
  { statusCode = 200, method = 'GET', isStreamed = true } = {},
) => framingOf({ statusCode, headers, keepsConnection: true }, method, isStreamed);

test('the length of an answer is a number of bytes, up to 2^53 - 1', () => {
  expect(framed({ 'content-length': '0' })).toEqual({ kind: 'length', length: 0 });
  expect(framed({ 'content-length': '9007199254740991' })).toEqual({ kind: 'length', length: 2 ** 53 - 1 });
  for (const text of [
    '-1',
    '+1',
    '',
    ' 1',
    '1 1',
    '1, 1',
    '0x1',
    '1e3',
    '1.0',
    '9007199254740992',
    '9'.repeat(30),
  ])
    expect(() => framed({ 'content-length': text }), text).toThrow(/Content-Length/);
});

test.each([
  ['a streamed success in chunks', { 'transfer-encoding': 'chunked' }, {}, undefined],
  ['a listing in chunks', { 'transfer-encoding': 'chunked' }, { isStreamed: false }, 'chunked'],
  [
    'a refusal in chunks',
    { 'transfer-encoding': 'Chunked' },
    { statusCode: 404, isStreamed: false },
    'chunked',
  ],
  [
    'a refusal in two codings',
    { 'transfer-encoding': 'gzip, chunked' },
    { statusCode: 404, isStreamed: false },
    undefined,
  ],
  [
    'chunks and a length',
    { 'transfer-encoding': 'chunked', 'content-length': '1' },
    { isStreamed: false },
    undefined,
  ],
  ['a success without a length', {}, { isStreamed: false }, undefined],
  ['a refusal without a length', {}, { statusCode: 503, isStreamed: false }, 'close'],
  ['a compressed object', { 'content-length': '1', 'content-encoding': 'gzip' }, {}, undefined],
  ['an object in no coding', { 'content-length': '1', 'content-encoding': '' }, {}, 'length'],
  ['an object in Identity', { 'content-length': '1', 'content-encoding': 'Identity' }, {}, 'length'],
  [
    'an object with the coding of its upload',
    { 'content-length': '1', 'content-encoding': 'aws-chunked' },
    {},
    'length',
  ],
  [
    'an object in two codings',
    { 'content-length': '1', 'content-encoding': 'aws-chunked,gzip' },
    {},
    undefined,
  ],
  ['a 204 with a length', { 'content-length': '1' }, { statusCode: 204 }, undefined],
  ['a 304 with a length', { 'content-length': '1' }, { statusCode: 304 }, 'length'],
  ['HEAD, whatever it says', { 'transfer-encoding': 'chunked' }, { method: 'HEAD' }, 'length'],
])('how %s ends', (_title, headers, answer, kind) => {
  if (kind === undefined)
    expect(() => framed(headers, answer)).toThrow(expect.objectContaining({ code: 'BadAnswer' }));
  else expect(framed(headers, answer)).toMatchObject({ kind });
});

const decoded = (...pieces: Buffer[]) => {
  const decoder = new ChunkedDecoder();
  const parts: Buffer[] = [];
  const used = pieces.map((piece) => decoder.take(piece, (part) => parts.push(Buffer.from(part))));
  return {
    text: Buffer.concat(parts).toString(),
    isWhole: decoder.isWhole,
    used: used.reduce((sum, count) => sum + count),
  };
};

test('chunks that are cut at any byte give their bytes, and leave what comes behind them', () => {
  const text = Buffer.from('5\r\nhello\r\n00A\r\n, you two.\r\n0\r\n\r\nHTTP');
  for (let at = 0; at <= text.length; at += 1) {
    const outcome = decoded(text.subarray(0, at), text.subarray(at));
    expect(outcome).toEqual({ text: 'hello, you two.', isWhole: true, used: text.length - 4 });
  }
  for (let end = 0; end < text.length - 4; end += 1)
    expect(decoded(text.subarray(0, end)).isWhole).toBe(false);
});

test.each([
  'g\r\n',
  '\r\n',
  '5 \r\n',
  '5;a=b\r\n',
  '-1\r\n',
  '000000001\r\n',
  '5\nhello',
  '5\r\nhello\n',
  '5\r\nhellox',
  '0\r\nA: 1\r\n',
  '0\r\n\n',
])('chunks are refused that have %j', (text) => {
  expect(() => decoded(Buffer.from(text))).toThrow(/chunks cannot be read/);
});
