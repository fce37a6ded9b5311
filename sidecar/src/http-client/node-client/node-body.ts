import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { ByteSink } from '../../bytes/byte-streams.ts';
import { lateError } from '../limits.ts';
import type { AnswerBody } from '../transport.ts';

/** The body of an answer as it arrives. A connection with bytes left on it is closed: to reuse it they would have to be read. */
export function nodeBody(message: Readable, idleMs: number): AnswerBody {
  const close = async () => {
    if (message.closed) return;
    message.destroy();
    await once(message, 'close');
  };
  return { readInto: (sink) => readMessage(message, sink, idleMs).finally(close), close };
}

/** The time limit counts only while we wait for the service, not while the sink is busy. */
async function readMessage(message: Readable, sink: ByteSink, idleMs: number): Promise<void> {
  let isWaiting = false;
  const expire = () => {
    if (isWaiting) message.destroy(lateError('bytes', idleMs));
  };
  const timer = setTimeout(expire, idleMs);
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
