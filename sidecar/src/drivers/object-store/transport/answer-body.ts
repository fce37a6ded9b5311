import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { ByteSink } from '../../../bytes/byte-streams.ts';
import type { AnswerBody } from '../object-store-client.ts';
import { IDLE_LIMIT, TransportTimeoutError } from './http-transport.ts';

/** The body of an answer as it arrives. A connection on which bytes are left is closed, for they would have to be read. */
export function answerBody(message: Readable): AnswerBody {
  const close = async () => {
    if (message.closed) return;
    message.destroy();
    await once(message, 'close');
  };
  return { readInto: (sink) => readMessage(message, sink).finally(close), close };
}

/** Only time in which the service is waited for counts, never the sink's. */
async function readMessage(message: Readable, sink: ByteSink): Promise<void> {
  let isWaiting = false;
  const expire = () => {
    const late = new TransportTimeoutError(`no bytes within ${IDLE_LIMIT / 1_000} seconds`);
    if (isWaiting) message.destroy(late);
  };
  const timer = setTimeout(expire, IDLE_LIMIT);
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    while (true) {
      isWaiting = true;
      timer.refresh();
      const { done, value } = await chunks.next();
      isWaiting = false;
      if (done === true) return;
      await sink.write(value);
    }
  } finally {
    clearTimeout(timer);
  }
}
