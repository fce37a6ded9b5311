import { STATUS_CODES } from 'node:http';
import { blocksOf } from '@largepayload/testing/documents/markdown';
import { RawConnection } from '@largepayload/testing/servers/raw-connection';
import type { Answer } from '@largepayload/testing/service/http-call';
import { startService } from '@largepayload/testing/service/running-service';
import { encodeVectors } from '@largepayload/testing/wire-vectors/vectors';
import { describe, expect, test } from 'vitest';

interface Message {
  readonly firstLine: string;
  readonly headers: readonly string[];
  readonly body: string;
}

const blocks = (language: string) =>
  blocksOf('docs/wire-example.md', language).map((block) => block.replace(/\n$/, ''));
const messages = blocks('http').map(messageOf);

describe('the example of docs/wire-example.md', () => {
  test('has the requests and answers of a running service, all on one connection', async () => {
    await using service = await startService();
    await using connection = await RawConnection.open(service.data);
    expect(messages.map(({ firstLine }) => firstLine.replace(/ .*/, ''))).toEqual([
      ...['PUT', 'HTTP/1.1', 'GET', 'HTTP/1.1'],
      ...['PUT', 'HTTP/1.1', 'GET', 'HTTP/1.1'],
    ]);
    for (let index = 0; index < messages.length; index += 2) {
      const [request, documented] = messages.slice(index, index + 2) as [Message, Message];
      await connection.send([request.firstLine, ...request.headers, '', request.body].join('\r\n'));
      expect(inWords(await connection.answer())).toEqual(inWords(documented));
    }
  });

  test('has the reference of the vector, as JSON and as a protobuf message', () => {
    const vector = encodeVectors.find(({ name }) => name === 'plain');
    const [json = ''] = blocks('json');
    expect(Buffer.from(json).toString('base64')).toBe(vector?.reference.data);
    const [listing = ''] = blocks('text');
    expect(listing).toContain(`${Buffer.byteLength(json)} bytes>`);
    expect(bytesOfListing(listing, json).toString('base64')).toBe(vector?.reference.message);
  });
});

function messageOf(block: string): Message {
  const [head = '', body = ''] = block.split('\n\n');
  const [firstLine = '', ...headers] = head.split('\n');
  return { firstLine, headers, body };
}

/** Both in one form: header names in lower case, and without the date. */
function inWords(answer: Answer | Message) {
  const [firstLine, lines] =
    'status' in answer
      ? [
          `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`,
          Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`),
        ]
      : [answer.firstLine, answer.headers];
  const headers = lines.map((line) =>
    line.replace(/^[^:]+/, (name) => name.toLowerCase()).replace(/^date: .* GMT$/, 'date: ... GMT'),
  );
  return { firstLine, headers: headers.toSorted(), body: answer.body.toString() };
}

/** Pairs of hex digits, text in quotes, and the data of the reference in place of `<…>`. */
function bytesOfListing(listing: string, data: string): Buffer {
  const parts = [...listing.matchAll(/"([^"]*)"|<[^>]*>|([0-9a-f]{2})/g)];
  return Buffer.concat(
    parts.map(([part, quoted, hex]) =>
      hex === undefined ? Buffer.from(part.startsWith('<') ? data : (quoted ?? '')) : Buffer.from(hex, 'hex'),
    ),
  );
}
