import { randomBytes } from 'node:crypto';
import { BlobClient, digestOf, LargePayloadCodec, metadataFromRecord } from '@largepayload/codec';
import { eventually } from '../../testing/eventually.ts';

const NAMESPACE = 'orders';
const SIZE = 4_096;
/** No two tries of the same client before: what fails at once must not become a storm. */
const PAUSE_AFTER_FAILURE = 50;

/** Something done over and over, by several at a time, until it is stopped; it goes on after failures. */
export class Traffic {
  readonly failures: Error[] = [];
  done = 0;
  readonly #stop = new AbortController();
  readonly #loops: readonly Promise<void>[];

  constructor(round: () => Promise<void>, clients = 2) {
    this.#loops = Array.from({ length: clients }, () => this.#loop(round));
  }

  /** Resolves when what was under way has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  async #loop(round: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await round();
        this.done += 1;
        // It shares two cores with the cluster.
        await pause(5);
      } catch (error) {
        this.failures.push(error as Error);
        await pause(PAUSE_AFTER_FAILURE);
      }
    }
  }
}

/** A store may be Ready a moment before the rules for its Service have reached every node. */
export async function untilServed(url: string): Promise<void> {
  await eventually(async () => {
    const answer = await fetch(`${url}/v2/health/head`, { method: 'HEAD' }).catch(() => undefined);
    return answer?.ok || undefined;
  }, 10_000);
}

/** Puts a payload of its own and gets it, by one request each, which is not tried again. */
export function requestTraffic(url: string): Traffic {
  const client = new BlobClient({ url });
  const metadata = metadataFromRecord({ encoding: Buffer.from('binary/plain') });
  return new Traffic(async () => {
    const body = randomBytes(SIZE);
    const [digest, size] = [digestOf(body), body.length];
    const { key } = await client.put({ namespace: NAMESPACE, digest, size, metadata, body });
    await client.get({ key, size, digest });
  });
}

/** What a worker's codec has stored; it tries again as in production. */
export class CodecTraffic {
  readonly traffic: Traffic;
  readonly #codec: LargePayloadCodec;
  readonly #stored: { readonly data: Buffer; readonly reference: Encoded }[] = [];

  constructor(url: string) {
    this.#codec = new LargePayloadCodec({ url, namespace: NAMESPACE, thresholdBytes: SIZE / 2 });
    this.traffic = new Traffic(async () => {
      const data = randomBytes(SIZE);
      const [reference] = await this.#codec.encode([
        { metadata: { encoding: Buffer.from('binary/plain') }, data },
      ]);
      if (reference === undefined || (reference.data?.length ?? SIZE) >= SIZE) throw new Error('not stored');
      this.#stored.push({ data, reference });
    });
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

async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
