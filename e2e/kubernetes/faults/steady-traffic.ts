import { setTimeout as sleep } from 'node:timers/promises';
import { BlobClient } from '@largepayload/codec';
import { putPayload, withClient } from './payloads.ts';

/** bytes of a payload: what goes in one chunk, and what takes several */
const SIZES = [150_000, 1_500_000];
/** ms between two payloads */
const PAUSE = 100;

/** Payloads put and fetched all the time, without a second try: on connections that are kept, and each on one of its own. */
export class SteadyTraffic implements AsyncDisposable {
  readonly #url: string;
  readonly #running: Promise<unknown>;
  readonly #failures: string[] = [];
  #transfers = 0;
  #stopped = false;

  constructor(url: string) {
    this.#url = url;
    const kept = new BlobClient({ url });
    const keepOn = SIZES.flatMap((size) => [
      this.#repeat(() => this.#putAndGet(kept, size)),
      this.#repeat(() => withClient(this.#url, (client) => this.#putAndGet(client, size))),
    ]);
    this.#running = Promise.all(keepOn).finally(() => kept.close());
  }

  /** PUTs and GETs that succeeded. */
  get transfers(): number {
    return this.#transfers;
  }

  /** Why others did not, and when. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #repeat(work: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      try {
        await work();
      } catch (error) {
        const { message, cause } = error as Error;
        this.#failures.push(`${new Date().toISOString()} ${message} (${cause ?? 'no cause'})`);
      }
      await sleep(PAUSE);
    }
  }

  async #putAndGet(client: BlobClient, size: number): Promise<void> {
    const stored = await putPayload(client, size);
    this.#transfers += 1;
    await client.get(stored);
    this.#transfers += 1;
  }
}
