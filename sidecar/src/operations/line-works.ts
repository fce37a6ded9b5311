import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toServiceError } from '../errors/to-service-error.ts';
import { errorBody } from '../http/error-answers.ts';
import { FairBudget } from '../http/fair-budget.ts';
import { peerOf } from '../http/peer.ts';
import { type Transfer, TransferWatch } from '../http/transfer-watch.ts';

/** Each lists the storage, and holds a page of names. */
const AT_A_TIME = { limit: 2, mostWaiting: 8, waitTimeMs: 5_000 };
/** A caller that takes no line in 30 s of being waited for is gone. */
const PROGRESS = { progressPeriodMs: 30_000, progressBytes: 1 };

type Work = (signal: AbortSignal) => AsyncIterable<object>;

/** Answers whose lines come as work goes on; a few at a time. */
export class LineWorks {
  readonly #places = new FairBudget(AT_A_TIME);
  readonly #watch = new TransferWatch(PROGRESS, () => this.#places.demand);

  /**
   * One JSON object a line as the work goes on, then `{"done":true}`; a failure half-way is a last line `{"error":…}`.
   * A caller that leaves, or does not read, ends the work.
   * @throws ServiceError `busy`
   */
  async send(request: FastifyRequest, reply: FastifyReply, work: Work): Promise<FastifyReply> {
    const stop = new AbortController();
    const peer = peerOf(request.raw);
    reply.raw.once('close', () => stop.abort());
    const release = await this.#places.reserve(peer, 1, stop.signal);
    const transfer = this.#watch.begin({ peer, units: 1, onExpired: () => reply.raw.destroy() });
    const end = () => {
      transfer.end();
      release();
    };
    if (reply.raw.closed) end();
    else reply.raw.once('close', end);
    const lines = linesOf(work(stop.signal), transfer);
    return reply.type('application/x-ndjson').send(Readable.from(lines));
  }
}

async function* linesOf(work: AsyncIterable<object>, transfer: Transfer): AsyncGenerator<string> {
  try {
    for await (const line of work) {
      const text = `${JSON.stringify(line)}\n`;
      transfer.wait();
      yield text;
      transfer.moved(text.length);
    }
    yield `${JSON.stringify({ done: true })}\n`;
  } catch (error) {
    yield `${JSON.stringify(errorBody(toServiceError(error)))}\n`;
  }
}
