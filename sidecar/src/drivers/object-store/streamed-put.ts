import type { PutOutcome, WriteSteps } from '../../bytes/object-writer.ts';
import { PassingBody } from './passing-body.ts';

/** Sends a body as it is written, by a request that runs from the beginning on. */
export class StreamedPut implements WriteSteps {
  readonly #body: PassingBody;
  readonly #stop = new AbortController();
  readonly #outcome: Promise<PutOutcome>;

  /** @param put may resolve with `existed` before it has read the body */
  constructor(
    size: number,
    signal: AbortSignal,
    put: (body: PassingBody, signal: AbortSignal) => Promise<PutOutcome>,
  ) {
    this.#body = new PassingBody(size);
    this.#outcome = put(this.#body, AbortSignal.any([signal, this.#stop.signal]));
    this.#outcome.then(
      () => this.#body.close({}),
      (failure) => this.#body.close({ failure }),
    );
  }

  write(chunk: Buffer): Promise<void> | undefined {
    return this.#body.write(chunk);
  }

  async commit(): Promise<PutOutcome> {
    this.#body.end();
    return await this.#outcome;
  }

  /** Ends the request in the middle of its body, so that the service sees an object that is not whole. */
  async abort(reason: unknown): Promise<void> {
    this.#stop.abort(reason);
    this.#body.close({ failure: reason });
    await this.#outcome;
  }
}
