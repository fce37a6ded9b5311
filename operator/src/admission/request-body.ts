import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

/** bytes; the API server takes objects of up to 3 MiB */
export const LARGEST_BODY = 8 * 1024 * 1024;
/** bytes of all bodies that are read or answered at a time */
const MOST_BYTES = 32 * 1024 * 1024;

/** The bytes that requests may hold at the same time. */
export class BodyBudget {
  #left = MOST_BYTES;

  /**
   * Reads the body and works on it. Its bytes are held until then.
   * @throws Refusal 413, 503; what `work` throws
   */
  async reading<T>(request: IncomingMessage, work: (body: Buffer) => Promise<T>): Promise<T> {
    let held = 0;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        held += chunk.length;
        this.#left -= chunk.length;
        if (held > LARGEST_BODY)
          throw new Refusal(413, `the body has more than ${LARGEST_BODY} bytes, which no pod needs`);
        if (this.#left < 0)
          throw new Refusal(503, 'too many bytes of other requests are in flight: try again');
        chunks.push(chunk);
      }
      return await work(Buffer.concat(chunks));
    } finally {
      this.#left += held;
    }
  }
}
