import { setTimeout as sleep } from 'node:timers/promises';
import { decodeReference, digestOf, LargePayloadCodec } from '@largepayload/codec';
import { seededRandom } from '@largepayload/testing/fault-proxy/random';
import { bytesOf, type Content, contentOfSomeSize, payloadOf } from './content.fixture.ts';
import type { Acknowledged, Ledger } from './ledger.fixture.ts';

const WRITERS = 4;
const READERS = 2;
const RAW_READERS = 2;
/** ms between two operations of one writer or reader */
const PAUSE = 60;
/** Share of puts whose payload is stored already. */
const REPEATED = 0.2;
/** No answer takes longer: 5 s of tries, 8 s for the last one's answer, 30 s without a byte. */
const RAW_LIMIT = 50_000;

export interface LoadOptions {
  /** URL of the service */
  readonly url: string;
  readonly ledger: Ledger;
  /** may be read too */
  readonly earlier: readonly Acknowledged[];
  readonly seed: number;
  /** ms after which no operation begins */
  readonly duration: number;
  readonly sizeOf?: (id: number, random: number) => Content;
}

let lastId = 0;

/** Writes and reads payloads as applications do, by the codec with its own retries. Resolves when all operations have ended. */
export async function runLoad(options: LoadOptions): Promise<void> {
  const { url, ledger, earlier, seed, duration, sizeOf = contentOfSomeSize } = options;
  const codec = new LargePayloadCodec({ url, namespace: 'faults' });
  const random = seededRandom(seed);
  const end = performance.now() + duration;
  const repeat = async (operation: () => Promise<unknown>) => {
    while (performance.now() < end) {
      await operation();
      await sleep(PAUSE * (0.5 + random()));
    }
  };
  const known = () => {
    const index = Math.floor(random() * (earlier.length + ledger.acknowledged.length));
    return earlier[index] ?? ledger.acknowledged[index - earlier.length];
  };
  const write = async () => {
    const again = random() < REPEATED ? known()?.content : undefined;
    lastId += 1;
    await put(codec, ledger, again ?? sizeOf(lastId, random()));
  };
  const read = async (reading: typeof get) => {
    const stored = known();
    if (stored !== undefined) await reading(codec, ledger, stored);
  };
  await Promise.all([
    ...Array.from({ length: WRITERS }, () => repeat(write)),
    ...Array.from({ length: READERS }, () => repeat(() => read(get))),
    ...Array.from({ length: RAW_READERS }, () =>
      repeat(() => read((_codec, ...rest) => getRaw(url, ...rest))),
    ),
  ]);
}

async function put(codec: LargePayloadCodec, ledger: Ledger, content: Content): Promise<void> {
  const payload = payloadOf(content);
  const [reference] = (await ledger.note('put', () => codec.encode([payload]))) ?? [];
  if (reference === undefined) return;
  const decoded = decodeReference(reference);
  if (decoded.version !== 'v2') throw new Error('the codec wrote a reference of version 1');
  const digest = digestOf(payload.data as Buffer);
  if (decoded.digest !== digest || !decoded.key.includes(`/${digest}/`)) {
    ledger.wrong.push(`the key of another payload: ${decoded.key}`);
  }
  ledger.acknowledged.push({ content, reference, key: decoded.key, digest, at: Date.now() });
}

async function get(codec: LargePayloadCodec, ledger: Ledger, stored: Acknowledged): Promise<void> {
  const [payload] = (await ledger.note('get', () => codec.decode([stored.reference]))) ?? [];
  if (payload !== undefined) assertSame(ledger, stored, payload.data as Uint8Array);
}

/** Reads as a client that does not verify: a payload that arrives complete must have the right bytes all the same. */
async function getRaw(url: string, ledger: Ledger, stored: Acknowledged): Promise<void> {
  const bytes = await ledger.note('raw get', async () => {
    const answer = await fetch(`${url}/v2/blobs/get?key=${encodeURIComponent(stored.key)}`, {
      headers: {
        'Content-Type': 'application/octet-stream',
        'X-Payload-Expected-Content-Length': String(stored.content.size),
      },
      signal: AbortSignal.timeout(RAW_LIMIT),
    });
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    const { error } = (await answer.json()) as { error: { code: string } };
    throw Object.assign(new Error(error.code), { code: error.code });
  });
  if (bytes !== undefined) assertSame(ledger, stored, bytes);
}

function assertSame(ledger: Ledger, { content, key }: Acknowledged, bytes: Uint8Array): void {
  if (!bytesOf(content).equals(bytes)) ledger.wrong.push(`other bytes than were stored: ${key}`);
}
