import type { ServerResponse } from 'node:http';
import type { JsonPayload } from './payloads-json.ts';

/** Small payloads go out together. */
const PIECE_LENGTH = 64 * 1024;

/** Answers 200 and `{"payloads":[…]}`, payload by payload, so that no more than one is held. @throws when the client leaves */
export async function sendPayloads(
  response: ServerResponse,
  payloads: AsyncIterable<JsonPayload> | Iterable<JsonPayload>,
): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' });
  const write = (text: string) => taken(response, (done) => response.write(text, done));
  let piece = '{"payloads":[';
  let separator = '';
  for await (const payload of payloads) {
    const json = JSON.stringify(payload);
    piece += separator;
    separator = ',';
    if (piece.length + json.length < PIECE_LENGTH) {
      piece += json;
      continue;
    }
    // Not in one piece: joined, a large payload would be there once more.
    await write(piece);
    await write(json);
    piece = '';
  }
  await taken(response, (done) => response.end(`${piece}]}`, done));
}

function taken(response: ServerResponse, send: (done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const left = () => reject(new Error('the client left'));
    if (response.destroyed) return left();
    response.once('close', left);
    send(() => {
      response.off('close', left);
      resolve();
    });
  });
}
