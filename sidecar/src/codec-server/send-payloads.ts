import type { ServerResponse } from 'node:http';
import type { Transfer } from '../http/transfer-watch.ts';
import type { JsonPayload } from './payloads-json.ts';

/** Small payloads go out together, and large ones in pieces, as progress shows only when a piece is taken. */
const PIECE_LENGTH = 64 * 1024;

/** Answers 200 and `{"payloads":[…]}`, payload by payload, so that no more than one is held. @throws when the client leaves */
export async function sendPayloads(
  response: ServerResponse,
  payloads: AsyncIterable<JsonPayload> | Iterable<JsonPayload>,
  transfer: Pick<Transfer, 'wait' | 'moved'>,
): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' });
  const write = async (text: string) => {
    for (let at = 0; at < text.length; at += PIECE_LENGTH) {
      const piece = text.slice(at, at + PIECE_LENGTH);
      transfer.wait();
      await taken(response, (done) => response.write(piece, done));
      transfer.moved(piece.length);
    }
  };
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
  transfer.wait();
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
