import { metadataHash } from '@largepayload/codec/wire/metadata';
import { type ByteSink, sourceOf } from '../../bytes/byte-streams.ts';
import { factsOf, never } from '../../drivers/conformance/subject.ts';
import type { StoredBlob } from '../../drivers/driver.ts';
import { ServiceError } from '../../errors/service-error.ts';
import { formatKey } from '../../keys/key.ts';
import type { ExpiryWindow } from '../../keys/window.ts';
import type { GetRequest, PayloadService, PutRequest, PutResult } from '../payload-service.ts';

const NO_METADATA = new Map<string, Uint8Array>();
const CHUNK = 64 * 1024;

/** The bytes of one answer: chunks are lent in the strictest way, as one buffer that is filled anew. */
export interface Answer {
  readonly size: number;
  readonly chunks: () => AsyncIterable<Buffer>;
}

/** A service upstream with payloads in memory, which counts what it is asked for. */
export class Upstream implements PayloadService {
  readonly payloads = new Map<string, Buffer>();
  /** keys, in the order in which they were asked for */
  readonly asked: string[] = [];
  /** answers that were neither read to their end nor closed */
  open = 0;
  /** the answer to the n-th GET, in place of the payload */
  answer: (key: string, count: number, request: GetRequest) => Promise<Answer | undefined> = async () =>
    undefined;
  /** the result of a PUT whose body was read, in place of the right one */
  acknowledge: (result: PutResult) => Promise<PutResult> = async (result) => result;
  window: ExpiryWindow | undefined;

  /** Stores a payload. @returns its key */
  add(bytes: Buffer, window?: ExpiryWindow): string {
    const key = keyOf(bytes, window);
    this.payloads.set(key, bytes);
    return key;
  }

  async put({ body, facts, signal }: PutRequest): Promise<PutResult> {
    const chunks: Buffer[] = [];
    await body.readInto({
      write(chunk) {
        signal.throwIfAborted();
        chunks.push(Buffer.from(chunk));
        return undefined;
      },
    });
    const bytes = Buffer.concat(chunks);
    if (factsOf(bytes).digest !== facts.digest) throw new ServiceError('digest_mismatch', 'wrong bytes');
    return await this.acknowledge({ key: this.add(bytes, this.window), outcome: 'created' });
  }

  async get(key: string, request: GetRequest): Promise<StoredBlob> {
    this.asked.push(key);
    const answer = (await this.answer(key, this.asked.length, request)) ?? this.#stored(key);
    request.signal.throwIfAborted();
    return this.#blob(answer, request.signal);
  }

  getVersionOne(digest: string, request: GetRequest): Promise<StoredBlob> {
    return this.get(`blobs/${digest}`, request);
  }

  async assertUsable(): Promise<void> {
    throw new ServiceError('storage_unavailable', 'not usable');
  }

  #stored(key: string): Answer {
    const bytes = this.payloads.get(key);
    if (bytes === undefined) throw new ServiceError('key_not_found', 'no payload');
    return answerOf(bytes);
  }

  #blob({ size, chunks }: Answer, signal: AbortSignal): StoredBlob {
    this.open += 1;
    let isOpen = true;
    const close = async () => {
      if (isOpen) this.open -= 1;
      isOpen = false;
    };
    const readInto = async (sink: ByteSink) => {
      try {
        await sourceOf(unlessStopped(chunks(), signal)).readInto(sink);
      } finally {
        await close();
      }
    };
    return { size, readInto, close };
  }
}

async function* unlessStopped(chunks: AsyncIterable<Buffer>, signal: AbortSignal): AsyncIterable<Buffer> {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
  stopped.catch(() => {});
  const iterator = chunks[Symbol.asyncIterator]();
  for (;;) {
    signal.throwIfAborted();
    const next = await Promise.race([iterator.next(), stopped]);
    if (next.done === true) return;
    yield next.value;
  }
}

/** An answer that announces `size` bytes and has these. */
export function answerOf(bytes: Buffer, size = bytes.length): Answer {
  return {
    size,
    async *chunks() {
      const lent = Buffer.alloc(Math.min(CHUNK, bytes.length));
      for (let at = 0; at < bytes.length; at += CHUNK) {
        yield lent.subarray(0, bytes.copy(lent, 0, at, at + CHUNK));
        lent.fill(0);
      }
    },
  };
}

export function keyOf(bytes: Buffer, window?: ExpiryWindow): string {
  const { digest } = factsOf(bytes);
  const hash = metadataHash(NO_METADATA);
  return formatKey({ window, namespace: 'orders', keyPrefix: undefined, digest, metadataHash: hash });
}

export function getRequest(expectedSize: number, signal = never()): GetRequest {
  return { caller: { peer: '127.0.0.1' }, expectedSize, signal };
}

export function putRequest(bytes: Buffer, changes: Partial<PutRequest> = {}): PutRequest {
  return {
    ...{ caller: { peer: '127.0.0.1' }, signal: never(), namespace: 'orders', facts: factsOf(bytes) },
    ...{ metadata: NO_METADATA, keyPrefix: undefined, workflowId: undefined },
    body: sourceOf(answerOf(bytes).chunks()),
    received: { wallTime: Date.now(), monotonicTime: performance.now() },
    ...changes,
  };
}
