import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { IDLE_LIMIT, TransportTimeoutError } from './http-transport.ts';
import type { AnswerBody } from './s3-client.ts';

/** The body of an answer as it arrives. A connection on which bytes are left is closed, for they would have to be read. */
export function answerBody(message: Readable): AnswerBody {
  const close = async () => {
    if (message.closed) return;
    message.destroy();
    await once(message, 'close');
  };
  return { chunks: () => chunksOf(message, close), close };
}

/** Only time in which the service is waited for counts, never the consumer's. */
async function* chunksOf(message: Readable, close: () => Promise<void>): AsyncGenerator<Buffer> {
  let waiting = false;
  const expire = () => {
    const late = new TransportTimeoutError(`no bytes within ${IDLE_LIMIT / 1_000} seconds`);
    if (waiting) message.destroy(late);
  };
  const timer = setTimeout(expire, IDLE_LIMIT);
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    while (true) {
      waiting = true;
      timer.refresh();
      const { done, value } = await chunks.next();
      waiting = false;
      if (done === true) return;
      yield value;
    }
  } finally {
    clearTimeout(timer);
    await close();
  }
}
