import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobClient, LargePayloadCodec } from '@largepayload/codec';
import { putPayload, withClient } from './payloads.ts';

const NAMESPACE = 'orders';
/** bytes of a payload: what goes in one chunk, and what takes several */
const SIZES = [4_096, 1_500_000];
/** ms between two rounds: it shares two cores with the cluster */
const PAUSE = 20;
/** ms; without a second try of the client's, what fails at once must not become a storm */
const PAUSE_AFTER_FAILURE = 50;

export interface TrafficFailure {
  readonly at: string;
  readonly error: Error & { readonly retryable?: boolean };
}

/** Rounds of something, each beside the others, over and over until they are stopped; they go on after failures. */
export class Traffic implements AsyncDisposable {
  readonly failures: TrafficFailure[] = [];
  /** rounds that succeeded */
  done = 0;
  readonly #stop = new AbortController();
  readonly #ended: Promise<unknown>;

  constructor(rounds: readonly (() => Promise<void>)[], afterwards: () => void = () => {}) {
    this.#ended = Promise.all(rounds.map((round) => this.#repeat(round))).finally(afterwards);
  }

  /** Resolves when what was under way has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #repeat(round: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await round();
        this.done += 1;
        await sleep(PAUSE);
      } catch (error) {
        this.failures.push({ at: new Date().toISOString(), error: error as Error });
        await sleep(PAUSE_AFTER_FAILURE);
      }
    }
  }
}

/**
 * Puts payloads and gets them, by one request each, which is not tried again: on connections that are kept, and each
 * pair on one of its own.
 */
export function requestTraffic(url: string): Traffic {
  const kept = new BlobClient({ url });
  const rounds = SIZES.flatMap((size) => [
    () => putAndGet(kept, size),
    () => withClient(url, (client) => putAndGet(client, size)),
  ]);
  return new Traffic(rounds, () => kept.close());
}

async function putAndGet(client: BlobClient, size: number): Promise<void> {
  await client.get(await putPayload(client, size, NAMESPACE));
}

/** What a worker's codec stores; it tries again as in production. */
export class CodecTraffic {
  readonly traffic: Traffic;
  readonly #codec: LargePayloadCodec;
  readonly #stored: { readonly data: Buffer; readonly reference: Encoded }[] = [];

  constructor(url: string) {
    const [size = 0] = SIZES;
    this.#codec = new LargePayloadCodec({ url, namespace: NAMESPACE, thresholdBytes: size / 2 });
    const round = async () => {
      const data = randomBytes(size);
      const [reference] = await this.#codec.encode([
        { metadata: { encoding: Buffer.from('binary/plain') }, data },
      ]);
      if (reference === undefined || (reference.data?.length ?? size) >= size) throw new Error('not stored');
      this.#stored.push({ data, reference });
    };
    this.traffic = new Traffic([round, round]);
  }

  /** Fetches all that was acknowledged. @returns how many there are @throws when one is not as it was */
  async fetchAll(): Promise<number> {
    const decoded = await this.#codec.decode(this.#stored.map(({ reference }) => reference));
    decoded.forEach(({ data }, index) => {
      if (!Buffer.from(data ?? []).equals(this.#stored[index]?.data as Buffer))
        throw new Error('other bytes');
    });
    return decoded.length;
  }
}

type Encoded = Awaited<ReturnType<LargePayloadCodec['encode']>>[number];
