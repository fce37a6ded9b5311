import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { ByteSink } from '../../../bytes/byte-streams.ts';
import type { AnswerBody } from '../object-store-client.ts';
import { IDLE_LIMIT_MS, TransportTimeoutError } from './http-transport.ts';

/** The body of an answer as it arrives. A connection with bytes left on it is closed: to reuse it they would have to be read. */
export function answerBody(message: Readable): AnswerBody {
  const close = async () => {
    if (message.closed) return;
    message.destroy();
    await once(message, 'close');
  };
  return { readInto: (sink) => readMessage(message, sink).finally(close), close };
}

/** The time limit counts only while we wait for the service, not while the sink is busy. */
async function readMessage(message: Readable, sink: ByteSink): Promise<void> {
  let isWaiting = false;
  const expire = () => {
    const late = new TransportTimeoutError(`no bytes within ${IDLE_LIMIT_MS / 1_000} seconds`);
    if (isWaiting) message.destroy(late);
  };
  const timer = setTimeout(expire, IDLE_LIMIT_MS);
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
